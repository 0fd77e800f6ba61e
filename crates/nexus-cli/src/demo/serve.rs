//! The program as one server of a fleet: asked through its standard input, answering through its standard output.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use transport_traits::TokioTimer;

use super::backends;
use super::host::{Host, Ports};
use super::observed::Observed;
use super::protocol::{Answer, Counts, FromServer, Setup, ToServer};
use super::server::name_of;
use crate::failure::Failure;

/// How often the process tells what it has sent and stored.
const COUNTS_EVERY: Duration = Duration::from_millis(200);

/// Serves until its standard input ends.
pub(super) async fn serve() -> Result<(), Failure> {
    // Ctrl-C reaches every process of a terminal. When to stop is the stage's to say.
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let mut next = async || input.next_line().await.ok().flatten();
    let setup = next().await.and_then(|line| serde_json::from_str::<Setup>(&line).ok());
    let setup = setup.ok_or_else(|| Failure::new("this is for `nexus demo` to start"))?;
    let (host, store) = match start(&setup).await {
        Ok(started) => started,
        Err(why) => {
            say(&FromServer::Failed(why.to_string()));
            return Ok(());
        }
    };
    say(&FromServer::Ready);
    tokio::spawn(tell_counts(Arc::clone(&host), Arc::clone(&store)));
    while let Some(line) = next().await {
        match serde_json::from_str(&line) {
            Ok(ToServer::Ask { id, ask }) => {
                let (host, store) = (Arc::clone(&host), Arc::clone(&store));
                tokio::spawn(async move {
                    let answer = host.answer(ask).await;
                    // First, so that who closed the server knows what it did.
                    if matches!(answer, Answer::Closed { .. }) {
                        say(&FromServer::Counts(counts(&host, &store)));
                    }
                    say(&FromServer::Answer { id, answer });
                });
            }
            Ok(ToServer::LetGo { seat }) => host.let_go(seat),
            Err(error) => return Err(Failure::because("a line that makes no sense", &error)),
        }
    }
    Ok(())
}

async fn start(setup: &Setup) -> Result<(Arc<Host>, Arc<Observed>), Failure> {
    let (publisher, subscriber) = backends::bus(&setup.bus).await?;
    let store = Arc::new(Observed::new(backends::store(&setup.store).await?));
    let ports = Ports {
        publisher,
        subscriber,
        store: store.clone(),
        timer: Arc::new(TokioTimer::new()),
        store_name: setup.store_name.clone(),
        seed: setup.seed,
    };
    let shown = Arc::new(|operation| say(&FromServer::Shows(operation)));
    Ok((Arc::new(Host::start(ports, &name_of(setup.number), shown).await?), store))
}

async fn tell_counts(host: Arc<Host>, store: Arc<Observed>) {
    let mut every = tokio::time::interval(COUNTS_EVERY);
    loop {
        every.tick().await;
        say(&FromServer::Counts(counts(&host, &store)));
    }
}

fn counts(host: &Host, store: &Observed) -> Counts {
    let (store_reads, store_writes) = store.counts();
    Counts { store_reads, store_writes, ..host.counts() }
}

/// One line, whole. Nobody reads it if the program that started this one is gone; then there is nothing left to do.
fn say(line: &FromServer) {
    let mut text = serde_json::to_vec(line).expect("plain data is JSON");
    text.push(b'\n');
    let mut output = std::io::stdout().lock();
    if output.write_all(&text).and_then(|()| output.flush()).is_err() {
        std::process::exit(0);
    }
}
