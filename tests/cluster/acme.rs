//! One certificate for all processes that serve the API.

use testkit::{Pebble, wait_until};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Cluster, PATIENCE, Shape};

fn trusting(pem: &[u8]) -> reqwest::Client {
    let trusted = reqwest::Certificate::from_pem(pem).unwrap();
    reqwest::Client::builder().tls_certs_only([trusted]).pool_max_idle_per_host(0).build().unwrap()
}

/// Returns true if this process ordered a certificate.
fn orders(log: &str) -> bool {
    log.contains("a certificate is ordered")
}

/// The balancer that the authority meets: it leads each connection to the process that does not order.
async fn lead_astray(balancer: TcpListener, apis: [(String, u16); 2]) {
    while let Ok((mut client, _)) = balancer.accept().await {
        let log = std::fs::read_to_string(&apis[0].0).unwrap();
        let port = if orders(&log) { apis[1].1 } else { apis[0].1 };
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_orders_a_certificate_another_shows_the_proof_and_both_serve_it() {
    let Some(pebble) = Pebble::start() else { return };
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 0, edges: 0 }).await else { return };
    let apis = [0, 1].map(|index| {
        let role = &cluster.roles[index];
        (cluster.directory.path().join(format!("{}.log", role.name)).to_str().unwrap().to_owned(), role.port)
    });
    let balancer = TcpListener::bind(("127.0.0.1", pebble.looks_at)).await.unwrap();
    tokio::spawn(lead_astray(balancer, apis));
    for index in 0..2 {
        cluster.roles[index].terminate().await;
    }
    cluster.settings.extend([
        ("MIKROCLOUD_ACME_DOMAINS", "localhost".to_owned()),
        ("MIKROCLOUD_ACME_DIRECTORY", pebble.directory()),
        ("MIKROCLOUD_ACME_CA_FILE", pebble.server().file().to_str().unwrap().to_owned()),
    ]);
    cluster.supervise().await;

    let authority = trusting(&std::fs::read(pebble.server().file()).unwrap());
    let client = trusting(&authority.get(pebble.root()).send().await.unwrap().bytes().await.unwrap());
    for index in 0..2 {
        let url = format!("https://localhost:{}/healthz", cluster.roles[index].port);
        wait_until(PATIENCE, "the certificate", async || client.get(&url).send().await.is_ok()).await;
    }
    assert_eq!(cluster.roles.iter().filter(|role| orders(&role.log())).count(), 1, "one ordered");
    assert_eq!(cluster.rows("SELECT failures::text FROM acme_orders").await, ["0"]);
}
