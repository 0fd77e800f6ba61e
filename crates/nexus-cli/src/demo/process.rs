//! A server in a process of its own, from outside: lines of JSON through its standard input and output.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::host::Shown;
use super::protocol::{Answer, Ask, Counts, FromServer, Setup, ToServer};
use super::server::name_of;
use crate::args::SERVER_COMMAND;
use crate::failure::Failure;

/// The process. It is killed when this is dropped, and ends by itself when this process does.
pub(super) struct Process {
    name: String,
    child: Mutex<Child>,
    lines: mpsc::UnboundedSender<ToServer>,
    told: Arc<Mutex<Told>>,
}

/// What came from the process, and who waits for more.
#[derive(Default)]
struct Told {
    next: u64,
    /// None when the process has ended.
    waiting: Option<BTreeMap<u64, oneshot::Sender<Answer>>>,
    counts: Counts,
}

impl Process {
    /// Starts it, and waits until it can be asked.
    pub(super) async fn start(setup: &Setup, shown: Shown) -> Result<Self, Failure> {
        let name = name_of(setup.number);
        let failed = |why: &std::io::Error| Failure::because(format!("cannot start {name}"), why);
        let program = std::env::current_exe().map_err(|error| failed(&error))?;
        let mut command = Command::new(program);
        command.arg(SERVER_COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let mut input = child.stdin.take().expect("it is piped");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        input.write_all(&line(setup)).await.map_err(|error| failed(&error))?;
        match next(&mut output).await {
            Some(FromServer::Ready) => {}
            Some(FromServer::Failed(why)) => return Err(Failure::new(format!("cannot start {name}: {why}"))),
            _ => return Err(Failure::new(format!("cannot start {name}: it ended at once"))),
        }
        let told = Arc::new(Mutex::new(Told { waiting: Some(BTreeMap::new()), ..Told::default() }));
        let (lines, to_write) = mpsc::unbounded_channel();
        tokio::spawn(write(input, to_write));
        tokio::spawn(read(output, Arc::clone(&told), shown));
        Ok(Self { name, child: Mutex::new(child), lines, told })
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        let ended = || Failure::new(format!("{} ended by itself", self.name));
        let (tell, answer) = oneshot::channel();
        let id = {
            let mut told = self.told.lock();
            told.next += 1;
            let id = told.next;
            told.waiting.as_mut().ok_or_else(ended)?.insert(id, tell);
            id
        };
        self.send(ToServer::Ask { id, ask });
        answer.await.map_err(|_| ended())
    }

    pub(super) fn let_go(&self, seat: u64) {
        self.send(ToServer::LetGo { seat });
    }

    fn send(&self, line: ToServer) {
        // When the process has ended, so has the task that writes; whoever waits is told so by the one that reads.
        let _ended = self.lines.send(line);
    }

    pub(super) fn kill(&self) {
        // It fails for a process that has ended, which is what is wanted.
        let _ended = self.child.lock().start_kill();
    }

    pub(super) fn counts(&self) -> Counts {
        self.told.lock().counts
    }
}

async fn write(mut input: ChildStdin, mut lines: mpsc::UnboundedReceiver<ToServer>) {
    while let Some(next) = lines.recv().await {
        if input.write_all(&line(&next)).await.is_err() {
            return;
        }
    }
}

async fn read(mut output: Lines<BufReader<ChildStdout>>, told: Arc<Mutex<Told>>, shown: Shown) {
    while let Some(line) = next(&mut output).await {
        match line {
            FromServer::Answer { id, answer } => {
                let waiting = told.lock().waiting.as_mut().and_then(|waiting| waiting.remove(&id));
                // Nobody waits if a player stopped waiting.
                let _nobody = waiting.map(|waiting| waiting.send(answer));
            }
            FromServer::Shows(operation) => shown(operation),
            FromServer::Counts(counts) => told.lock().counts = counts,
            FromServer::Ready | FromServer::Failed(_) => {}
        }
    }
    told.lock().waiting = None;
}

/// The next line; `None` at the end, or at what is none of ours.
async fn next(output: &mut Lines<BufReader<ChildStdout>>) -> Option<FromServer> {
    let line = output.next_line().await.ok()??;
    serde_json::from_str(&line).ok()
}

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("plain data is JSON");
    line.push(b'\n');
    line
}
