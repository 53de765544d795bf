//! A server behind a TLS proxy with the motel's own certificate.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use innsync_client::{Command, ConnectionState, Error, Options, Outcome};
use innsync_e2e::{PASSWORD, PATIENCE, Phone, Server, becomes};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What operators put before the server: it ends TLS and passes the bytes on.
struct Proxy {
    url: String,
    /// The root of its certificate, in DER.
    root: Vec<u8>,
    acceptor: Arc<watch::Sender<TlsAcceptor>>,
    /// How many connections phones gave up because of the certificate.
    refused: Arc<watch::Sender<u32>>,
}

impl Proxy {
    async fn before(server: &Server) -> Self {
        let (acceptor, root) = certified_for("localhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let behind: SocketAddr = server.url().trim_start_matches("http://").parse().unwrap();
        let (acceptor, refused) = (Arc::new(watch::Sender::new(acceptor)), Arc::new(watch::Sender::new(0)));
        tokio::spawn({
            let (acceptor, refused) = (Arc::clone(&acceptor), Arc::clone(&refused));
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let acceptor = acceptor.borrow().clone();
                    tokio::spawn(pass_on(acceptor, stream, behind, Arc::clone(&refused)));
                }
            }
        });
        Self { url, root, acceptor, refused }
    }

    /// Ben's phone, which trusts those roots besides Mozilla's.
    fn ben(&self, home: &std::path::Path, roots: &[Vec<u8>]) -> Options {
        let mut options = Phone::options("ben", &self.url, &home.join("ben"));
        options.extra_roots = roots.to_vec();
        options
    }
}

async fn pass_on(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    behind: SocketAddr,
    refused: Arc<watch::Sender<u32>>,
) {
    // A phone that does not trust the certificate hangs up here.
    let Ok(mut phone) = acceptor.accept(stream).await else {
        return refused.send_modify(|times| *times += 1);
    };
    let Ok(mut server) = TcpStream::connect(behind).await else { return };
    let _ = tokio::io::copy_bidirectional(&mut phone, &mut server).await;
}

/// An acceptor with a certificate for that name, and the root that signed it.
fn certified_for(name: &str) -> (TlsAcceptor, Vec<u8>) {
    let mut motel = CertificateParams::new(Vec::new()).unwrap();
    motel.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let motel_key = KeyPair::generate().unwrap();
    let root = motel.self_signed(&motel_key).unwrap().der().to_vec();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &Issuer::new(motel, motel_key)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), root)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_given_the_motels_root_works_over_https_and_wss() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let proxy = Proxy::before(&server).await;
    let options = proxy.ben(home.path(), std::slice::from_ref(&proxy.root));
    let ben = innsync_client::sign_in(options, PASSWORD).await.unwrap();
    ben.connect();
    ben.up_to_date(PATIENCE).await.unwrap();
    assert!(becomes(|| async { ben.connection_state() == ConnectionState::Connected }).await, "wss");
    let card = ben.unassigned().await.unwrap().tasks.into_iter().next().unwrap();
    let receipt = ben.execute(Command::TakeTask { task_id: card.task.id }).await.unwrap();
    assert_eq!(ben.settled(receipt.id, PATIENCE).await, Ok(Outcome::Confirmed));
    let tasks = server.http().unwrap().list("ben", "tasks").await.unwrap();
    let taken = tasks.iter().find(|task| task["id"] == card.task.id.to_string()).unwrap();
    assert_eq!(taken["assignedTo"], ben.account().employee.to_string());
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_the_root_is_told_what_to_do_and_sends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let proxy = Proxy::before(&server).await;
    let refused = innsync_client::sign_in(proxy.ben(home.path(), &[]), PASSWORD).await.unwrap_err();
    assert!(matches!(refused, Error::ServerNotTrusted(_)), "{refused:?}");
    assert!(refused.to_string().contains("needs its root given to the app"), "{refused}");
    let (_, another_root) = certified_for("localhost");
    let refused = innsync_client::sign_in(proxy.ben(home.path(), &[another_root]), PASSWORD).await;
    assert!(matches!(refused, Err(Error::ServerNotTrusted(_))), "another motel's root: {refused:?}");

    // A phone that has worked with it, in a release that has lost the root: the socket says so, too.
    let options = proxy.ben(home.path(), std::slice::from_ref(&proxy.root));
    innsync_client::sign_in(options, PASSWORD).await.unwrap().close().await;
    let ben = innsync_client::open(proxy.ben(home.path(), &[])).unwrap();
    let events = ben.events();
    ben.connect();
    let told = tokio::time::timeout(PATIENCE, async {
        while let Some(event) = events.next().await {
            if format!("{event:?}").contains("certificate is not trusted") {
                return true;
            }
        }
        false
    });
    assert_eq!(told.await, Ok(true));
    let kept_from = ben.up_to_date(Duration::from_secs(2)).await;
    assert!(matches!(kept_from, Err(Error::ServerNotTrusted(_))), "not just a timeout: {kept_from:?}");
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_behind_a_captive_portal_is_up_to_date_once_it_lets_them_through() {
    // G11
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let proxy = Proxy::before(&server).await;
    let options = proxy.ben(home.path(), std::slice::from_ref(&proxy.root));
    innsync_client::sign_in(options.clone(), PASSWORD).await.unwrap().close().await;
    let (portal, _) = certified_for("localhost");
    let certified = proxy.acceptor.send_replace(portal);
    let ben = innsync_client::open(options).unwrap();
    ben.connect();
    let waiter = tokio::spawn({
        let ben = ben.clone();
        async move { ben.up_to_date(PATIENCE).await }
    });
    let mut refused = proxy.refused.subscribe();
    tokio::time::timeout(PATIENCE, refused.wait_for(|times| *times >= 5)).await.unwrap().unwrap();
    proxy.acceptor.send_replace(certified);
    assert_eq!(waiter.await.unwrap(), Ok(()));
    ben.close().await;
}
