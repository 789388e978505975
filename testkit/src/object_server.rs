//! Private stand-ins for the object stores of clouds, each on a free port: started by a test, stopped with it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::tools::test_tools;

/// Time within which a server has to listen.
const DEADLINE: Duration = Duration::from_mins(1);

/// The bucket that each server has.
const BUCKET: &str = "bucket";

/// The account of Azurite, and leave to do everything in it for ever: an account SAS under Azurite's published key.
const AZURE_ACCOUNT: &str = "devstoreaccount1";
const AZURE_LEAVE: &str =
    "sv=2021-08-06&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A00Z&sig=96c2EygB3PgwPw%2FPybbUy3WlHCPrp0h%2FIdLehWe2UEU%3D";
const AZURE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Runs moto without looking at credentials, which it does not understand when they are Google's.
const MOTO_WITHOUT_CREDENTIALS: &str = "
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
moto = DomainDispatcherApplication(create_backend_app)
def somebody(environ, start_response):
    scope = 'Credential=a/20200101/us-east-1/s3/aws4_request'
    environ['HTTP_AUTHORIZATION'] = f'AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x'
    return moto(environ, start_response)
run_simple(sys.argv[2], int(sys.argv[4]), somebody, threaded=True)
";

/// Vendor of the object store that is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectVendor {
    /// S3, by moto, which checks credentials.
    Amazon,
    /// Azure Blob Storage, by Azurite, which checks credentials.
    Azure,
    /// Google Cloud Storage, by moto as well, without credentials. The client speaks Google's XML interface, which moto understands because
    /// it is that of S3; Google's own emulators have only the JSON interface.
    Google,
}

/// A running server. Dropped, it is killed.
pub struct ObjectServer {
    vendor: ObjectVendor,
    child: Option<Child>,
    port: u16,
    key: (String, String),
}

impl ObjectServer {
    /// Starts one, with a bucket. `None` where it is not installed, which is said on standard error.
    ///
    /// # Panics
    /// When it does not start, and under `CI=true` also when it is not installed.
    pub fn start(vendor: ObjectVendor) -> Option<Self> {
        let mut server = Self { vendor, child: None, port: free_port(), key: Default::default() };
        let Some(command) = command(vendor, server.port) else {
            eprintln!("The stand-in for {vendor:?} is not installed: its tests are skipped. `make deps-test` installs it");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "the stand-in for {vendor:?} is not installed");
            return None;
        };
        server.spawn(command);
        server.make_bucket();
        Some(server)
    }

    /// The address that MikroCloud is given.
    pub fn address(&self) -> String {
        self.address_of(BUCKET)
    }

    /// The address of another bucket, which is not there.
    pub fn address_of(&self, bucket: &str) -> String {
        let scheme = match self.vendor {
            ObjectVendor::Amazon => "s3",
            ObjectVendor::Azure => "az",
            ObjectVendor::Google => "gs",
        };
        format!("{scheme}://{bucket}/some/prefix")
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The environment that says where it is and with which credentials, seen through this port.
    pub fn env_at(&self, port: u16) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://127.0.0.1:{port}");
        match self.vendor {
            ObjectVendor::Amazon => vec![
                ("AWS_ENDPOINT", endpoint),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", self.key.0.clone()),
                ("AWS_SECRET_ACCESS_KEY", self.key.1.clone()),
            ],
            ObjectVendor::Azure => vec![
                ("AZURE_ENDPOINT", format!("{endpoint}/{AZURE_ACCOUNT}")),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
                ("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.to_owned()),
            ],
            ObjectVendor::Google => vec![
                ("GOOGLE_ALLOW_HTTP", "true".to_owned()),
                // What the client takes in place of a service account where nobody signs in.
                (
                    "GOOGLE_SERVICE_ACCOUNT_KEY",
                    format!(
                        "{{\"gcs_base_url\":\"{endpoint}\",\"disable_oauth\":true,\"client_email\":\"\",\"private_key\":\"\",\
                         \"private_key_id\":\"\"}}"
                    ),
                ),
            ],
        }
    }

    /// The environment that says where it is and with which credentials.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.env_at(self.port)
    }

    /// The environment with a credential that the server refuses.
    pub fn env_with_wrong_credentials(&self) -> Vec<(&'static str, String)> {
        let mut env = self.env();
        for (name, value) in &mut env {
            match *name {
                "AWS_SECRET_ACCESS_KEY" => *value = "wrong".repeat(8),
                "AZURE_STORAGE_ACCOUNT_KEY" => *value = format!("{}AAAA", "A".repeat(84)),
                _ => {}
            }
        }
        env
    }

    /// Kills it. What it held is lost.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).unwrap_or_else(|error| panic!("could not kill a server: {error}"));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "waits for a condition with a deadline, outside of any runtime")]
    fn spawn(&mut self, mut command: Command) {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("{:?} could not be started: {error}", self.vendor)));
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none() && started.elapsed() < DEADLINE, "{:?} did not start: {ended:?}", self.vendor);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn make_bucket(&mut self) {
        match self.vendor {
            ObjectVendor::Amazon => self.make_amazon_bucket(),
            ObjectVendor::Azure => {
                self.ask("PUT", &format!("/{AZURE_ACCOUNT}/{BUCKET}?restype=container&{AZURE_LEAVE}"), &[], "");
            }
            ObjectVendor::Google => {
                self.ask("PUT", &format!("/{BUCKET}"), &scope("s3"), "");
            }
        }
    }

    /// Makes a bucket and a user who may do everything in it; from then on credentials are checked.
    fn make_amazon_bucket(&mut self) {
        self.ask("PUT", &format!("/{BUCKET}"), &scope("s3"), "");
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22\
            s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        let [authorization] = scope("iam");
        let form = [authorization, ("Content-Type", "application/x-www-form-urlencoded".to_owned())];
        let mut answer = String::new();
        for action in [
            "CreateUser".to_owned(),
            format!("PutUserPolicy&PolicyName=all&PolicyDocument={policy}"),
            "CreateAccessKey".to_owned(),
        ] {
            answer = self.ask("POST", "/", &form, &format!("Version=2010-05-08&UserName=test&Action={action}"));
        }
        let between = |name: &str| {
            let found = answer.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once("</"));
            found.unwrap_or_else(|| panic!("no {name} in {answer}")).0.to_owned()
        };
        self.key = (between("AccessKeyId"), between("SecretAccessKey"));
        self.ask("POST", "/moto-api/reset-auth", &[], "0");
    }

    /// The body of the answer to a request.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> String {
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let answered = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        });
        let answer = answered.unwrap_or_else(|error| panic!("{:?} does not answer: {error}", self.vendor));
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        answer
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The header by which moto knows what a request is for.
fn scope(service: &str) -> [(&'static str, String); 1] {
    let scope = format!("Credential=a/20200101/us-east-1/{service}/aws4_request");
    [("Authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"))]
}

/// The command that runs a server; `None` where it is not installed.
fn command(vendor: ObjectVendor, port: u16) -> Option<Command> {
    let tools = test_tools()?;
    let port = port.to_string();
    let mut command;
    match vendor {
        ObjectVendor::Amazon | ObjectVendor::Google => {
            let packages = tools.join("moto");
            packages.join("moto").is_dir().then_some(())?;
            command = Command::new("python3");
            let program =
                if vendor == ObjectVendor::Google { MOTO_WITHOUT_CREDENTIALS } else { "from moto.server import main; main()" };
            command.args(["-c", program, "-H", "127.0.0.1", "-p", &port]);
            // Credentials are checked once the bucket and its user are made.
            command.env("PYTHONPATH", packages).env("INITIAL_NO_AUTH_ACTION_COUNT", "100");
        }
        ObjectVendor::Azure => {
            let program = tools.join("azurite/node_modules/azurite/dist/src/blob/main.js");
            program.is_file().then_some(())?;
            command = Command::new("node");
            command.arg(program).args(["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]);
            command.args(["--blobHost", "127.0.0.1", "--blobPort", &port]);
        }
    }
    Some(command)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.unwrap_or_else(|error| panic!("no port is free: {error}")).port()
}
