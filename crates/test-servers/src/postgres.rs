//! A private PostgreSQL server.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::Authority;
use crate::address;
use crate::supervised::Supervised;

const PORT: u16 = 5432;

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Says who may log in how.
const RULES_FILE: &str = "pg_hba.conf";

/// On the Unix socket anybody, elsewhere by password.
const RULES: &str = "local all all trust\nhost all all all scram-sha-256\n";

/// The same, and elsewhere only encrypted and with a certificate.
const ENCRYPTED_RULES: &str = "local all all trust\nhostssl all all all scram-sha-256 clientcert=verify-ca\n";

/// Fits the most private of servers. Only what matters is logged, for nobody reads it.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "log_checkpoints=off",
    "log_min_error_statement=panic",
    "log_min_messages=log",
    "max_wal_senders=0",
    "shared_buffers=16MB",
];

/// As often a server is started that its predecessor, just killed, is still in the way of.
const ATTEMPTS: usize = 100;

/// Deletes a folder when its own standard input ends, which is when the process that holds the pipe does; and again
/// while a server that is about to end still writes there.
const JANITOR: &str = r#"trap "" INT TERM; read -r _; i=0; until rm -rf -- "$1" || [ $i = 50 ]; do i=$((i+1)); sleep 0.1; done"#;

/// A PostgreSQL server on a Unix socket and a loopback address, in a folder of its own. Killed when dropped.
///
/// On the socket the superuser `postgres` needs no password; what comes over the address needs one. Run by root it runs
/// as the user `postgres`, since it refuses to be root's.
pub struct Postgres {
    programs: PathBuf,
    settings: Vec<String>,
    address: SocketAddr,
    running: Option<Supervised>,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server with settings such as `["fsync=on"]`, and waits until it takes connections. Without any it keeps
    /// what it acknowledged when it is killed, but not when the machine is.
    ///
    /// `None`, with a line that `cargo xtask test` counts as a skip of `test`, if PostgreSQL is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let mut postgres = Self::prepare(programs(test)?, settings);
        postgres.restart();
        Some(postgres)
    }

    /// Starts a server that takes only encrypted connections at its [address](Self::address), for which `authority`
    /// vouches as `localhost`, and demands that clients are vouched for too. See [`start`](Self::start).
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn start_encrypted(test: &str, authority: &Authority) -> Option<Self> {
        let mut postgres = Self::prepare(programs(test)?, &["ssl=on"]);
        let files = authority.files_for("localhost", postgres.folder.path());
        for (name, file) in ["ssl_cert_file", "ssl_key_file", "ssl_ca_file"].into_iter().zip(&files) {
            // As it demands of a key.
            run(&["chmod".to_owned(), "600".to_owned(), text(file)]);
            hand_over(file);
            postgres.settings.push(format!("{name}={}", text(file)));
        }
        fs::write(postgres.data().join(RULES_FILE), ENCRYPTED_RULES).expect("the folder is the server's own");
        postgres.restart();
        Some(postgres)
    }

    fn prepare(programs: PathBuf, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir_in(root()).expect("a folder for temporary files");
        let settings = settings.iter().map(ToString::to_string).collect();
        let postgres = Self { programs, settings, address: address::free(PORT), running: None, folder };
        hand_over(postgres.folder.path());
        postgres.fill();
        postgres
    }

    /// One that all tests of this process share, which keep out of each other's way. `None` as for
    /// [`start`](Self::start).
    #[must_use]
    pub fn shared(test: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        // Each test says for itself that it is skipped.
        let programs = programs(test)?;
        let start = || {
            let mut postgres = Self::prepare(programs, &[]);
            postgres.restart();
            postgres
        };
        Some(SHARED.get_or_init(start))
    }

    /// Kills all its processes with SIGKILL, and is back when they are gone.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it again with the same data at the same address, killing it first if it runs.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.start_by(&[]);
    }

    /// The same, on a disk that is full as soon as a file of the server's has so many KiB, of which each file of its log
    /// has 16,384 from the beginning: there is no room for more data, but for more log.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart_on_a_disk_of(&mut self, kib: u64) {
        self.start_by(&["prlimit", &format!("--fsize={}", kib * 1024)]);
    }

    fn start_by(&mut self, starter: &[&str]) {
        self.kill();
        let command = self.command(starter);
        let start = || Supervised::start(&command, "ready to accept");
        let started = (1..ATTEMPTS).find_map(|_| start().ok());
        self.running = Some(started.map_or_else(start, Ok).expect("the server starts"));
    }

    /// Kills it if it runs, and replaces its data by that of a new server.
    ///
    /// # Panics
    /// If that fails.
    pub fn wipe(&mut self) {
        self.kill();
        fs::remove_dir_all(self.data()).expect("the folder is the server's own");
        self.fill();
    }

    /// Makes it start as one that follows another, and so can only be read, or as one that leads.
    ///
    /// # Panics
    /// If its folder cannot be changed.
    pub fn follow(&mut self, follow: bool) {
        let signal = self.data().join("standby.signal");
        let changed = if follow { fs::write(signal, "") } else { fs::remove_file(signal) };
        changed.expect("the folder is the server's own");
    }

    /// What a client connects to, by the Unix socket and as the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.folder.path().display())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The Unix socket on which it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{PORT}"))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Copies the data of a new server.
    fn fill(&self) {
        static NEW: OnceLock<PathBuf> = OnceLock::new();
        let new = NEW.get_or_init(|| make_new(&self.programs));
        run(&["cp".to_owned(), "-a".to_owned(), text(new), text(&self.data())]);
    }

    fn command(&self, starter: &[&str]) -> Vec<String> {
        let program = self.programs.join("postgres");
        let (data, sockets) = (self.data(), self.folder.path());
        let server = [text(&program), "-D".to_owned(), text(&data), "-k".to_owned(), text(sockets)];
        let address = format!("listen_addresses={}", self.address.ip());
        let settings = SETTINGS.iter().map(ToString::to_string).chain([address]).chain(self.settings.clone());
        // It logs to its standard error.
        let shell = ["sh", "-c", r#"exec "$@" 2>&1"#, "sh"].map(str::to_owned);
        let settings = settings.flat_map(|setting| ["-c".to_owned(), setting]);
        let starter = starter.iter().map(ToString::to_string);
        shell.into_iter().chain(starter).chain(as_owner(server)).chain(settings).collect()
    }
}

/// Makes the data of a server that holds nothing yet. That takes a second or two, so it is done once a process.
fn make_new(programs: &Path) -> PathBuf {
    let new = root().join("new");
    fs::create_dir(&new).expect("the folder is this process's own");
    hand_over(&new);
    let how = ["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"].map(str::to_owned);
    let initdb = [text(&programs.join("initdb"))].into_iter().chain(how).chain([text(&new)]);
    run(&as_owner(initdb).collect::<Vec<_>>());
    fs::write(new.join(RULES_FILE), RULES).expect("the folder is this process's own");
    new
}

/// The folder of everything that this process starts, deleted when the process has ended.
fn root() -> &'static Path {
    static ROOT: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let make = || {
        let root = tempfile::tempdir().expect("a folder for temporary files").keep();
        run(&["chmod".to_owned(), "a+x".to_owned(), text(&root)]);
        let mut janitor = Command::new("sh");
        janitor.args(["-c", JANITOR, "janitor"]).arg(&root).stdin(Stdio::piped());
        janitor.stdout(Stdio::null()).stderr(Stdio::null());
        (root, janitor.spawn().expect("there is a shell"))
    };
    &ROOT.get_or_init(make).0
}

/// The command, run as the user of servers.
fn as_owner(command: impl IntoIterator<Item = String>) -> impl Iterator<Item = String> {
    const AS_OWNER: [&str; 4] = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    AS_OWNER.into_iter().filter(|_| is_root()).map(str::to_owned).chain(command)
}

/// Gives a folder or a file to the user of servers.
fn hand_over(what: &Path) {
    if is_root() {
        run(&["chown".to_owned(), "postgres:".to_owned(), text(what)]);
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").expect("Linux has it").uid() == 0
}

fn run(command: &[String]) {
    let output = Command::new(&command[0]).args(&command[1..]).output().expect("the program exists");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Where the programs of the latest version are. If there are none, says that `test` is skipped.
fn programs(test: &str) -> Option<PathBuf> {
    let found = latest_programs();
    if found.is_none() {
        println!("skipped: {test}: no PostgreSQL in {VERSIONS}; install it with: apt-get install postgresql");
    }
    found
}

fn latest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let latest = versions.map(|entry| entry.path()).max_by_key(number)?;
    Some(latest.join("bin")).filter(|programs| programs.join("postgres").is_file())
}
