//! A TCP proxy that treats connections as bad networks do: it cuts them in the middle of a frame, lets one side believe in
//! them for ever, delays, narrows, resets and refuses them, or answers for a hotel's Wi-Fi that wants a sign-in.
//!
//! What befalls a connection is drawn from the proxy's seed and the connection's number; when it befalls, the bytes decide.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use innsync_random::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes read at a time.
const BUFFER_BYTES: usize = 8 * 1024;
/// Bytes that a narrow connection passes at a time.
const NARROW_BYTES: usize = 256;

/// What the network is like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Clear,
    /// Each connection has its ailment.
    Toxic,
    /// New connections are reset; old ones stay.
    Refusing,
    /// New connections are answered by a page that is not the server's; old ones stay.
    Portal,
}

/// How a connection ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both sides are closed in order, wherever the stream was.
    Cut,
    /// Both sides are reset (RST).
    Reset,
    /// Nothing is passed on any more in the direction that came to its end; the connection stays.
    Mute,
    /// As [`End::Mute`], in both directions.
    MuteBoth,
}

/// What befalls one connection while the weather is toxic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ailment {
    /// Milliseconds before bytes are passed on, at least and at most.
    pub delay: (u64, u64),
    /// Bytes passed in a second; 0: as many as come.
    pub width: u64,
    /// How the direction to the server ends, and after how many bytes.
    pub up: Option<(u64, End)>,
    /// How the direction to the client ends, and after how many bytes.
    pub down: Option<(u64, End)>,
}

impl Ailment {
    /// The ailment of the connection of that number.
    pub fn draw(seed: u64, connection: u64) -> Self {
        let mut random = Random::of(seed ^ connection.wrapping_mul(0x9e37_79b9), "ailment");
        let r = &mut random;
        let mut ailment = Self::default();
        if r.chance(300) {
            ailment.delay = (r.below(10), r.between(10, 150));
        }
        if r.chance(150) {
            ailment.width = r.between(2_000, 40_000);
        }
        if r.chance(650) {
            let end =
                *r.pick(&[End::Cut, End::Cut, End::Reset, End::Mute, End::MuteBoth]).unwrap_or(&End::Cut);
            // From within the first line of a request to somewhere in a snapshot, each size as likely as its double.
            let doublings = r.below(14);
            let after = (1 << doublings) + r.below(1 << doublings);
            match r.chance(500) {
                true => ailment.up = Some((after, end)),
                false => ailment.down = Some((after, end)),
            }
        }
        ailment
    }
}

/// How often what befell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Befallen {
    /// Connections.
    pub connections: u64,
    /// Cut in order.
    pub cut: u64,
    /// Reset.
    pub reset: u64,
    /// Directions that went mute.
    pub mute: u64,
    /// Refused.
    pub refused: u64,
    /// Answered by a page.
    pub portal: u64,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    cut: AtomicU64,
    reset: AtomicU64,
    mute: AtomicU64,
    refused: AtomicU64,
    portal: AtomicU64,
}

fn count(of: &AtomicU64) {
    of.fetch_add(1, Ordering::Relaxed);
}

struct Control {
    upstream: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Grows when all connections are to be reset.
    resets: watch::Sender<u64>,
    /// Grows when the mute ones are to be reset.
    heals: watch::Sender<u64>,
    counts: Counts,
}

/// The proxy. Its connections end when it is dropped.
pub struct Toxic {
    address: SocketAddr,
    control: Arc<Control>,
    listening: JoinHandle<()>,
}

impl Toxic {
    /// Listens on a free port of loopback, for the server at that address; the weather is clear.
    pub async fn start(upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        Self::start_with(upstream, seed, move |number| Ailment::draw(seed, number)).await
    }

    /// As [`Toxic::start`], with the ailments given.
    pub async fn start_with(
        upstream: SocketAddr,
        seed: u64,
        ailment: impl Fn(u64) -> Ailment + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let control = Arc::new(Control {
            upstream,
            weather: watch::Sender::new(Weather::Clear),
            resets: watch::Sender::new(0),
            heals: watch::Sender::new(0),
            counts: Counts::default(),
        });
        let theirs = Arc::clone(&control);
        let listening = tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = tokio::task::JoinSet::new();
            for number in 0.. {
                let Ok((client, _)) = listener.accept().await else { return };
                count(&theirs.counts.connections);
                let random = Random::of(seed ^ number, "connection");
                connections.spawn(serve(client, ailment(number), random, Arc::clone(&theirs)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, control, listening })
    }

    /// Its base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather. What has befallen a connection stays.
    pub fn weather(&self, weather: Weather) {
        self.control.weather.send_replace(weather);
    }

    /// Resets all connections that are open.
    pub fn reset_all(&self) {
        self.control.resets.send_modify(|it| *it += 1);
    }

    /// Resets those that went mute, as a router does that has forgotten a connection.
    pub fn heal(&self) {
        self.control.heals.send_modify(|it| *it += 1);
    }

    /// What has befallen so far.
    pub fn befallen(&self) -> Befallen {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.control.counts;
        Befallen {
            connections: of(&counts.connections),
            cut: of(&counts.cut),
            reset: of(&counts.reset),
            mute: of(&counts.mute),
            refused: of(&counts.refused),
            portal: of(&counts.portal),
        }
    }
}

impl Drop for Toxic {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Why a connection is over.
enum Over {
    /// One of the sides has closed it.
    Closed,
    /// It was its ailment, or the order came.
    Ended(End),
}

async fn serve(mut client: TcpStream, ailment: Ailment, mut random: Random, control: Arc<Control>) {
    let _ = client.set_nodelay(true);
    let mut resets = control.resets.subscribe();
    let weather = *control.weather.borrow();
    match weather {
        Weather::Refusing => {
            count(&control.counts.refused);
            return reset(&client);
        }
        Weather::Portal => {
            count(&control.counts.portal);
            return portal(&mut client, &mut random).await;
        }
        Weather::Clear | Weather::Toxic => {}
    }
    // The server's program is not there: nobody listens.
    let Ok(mut server) = TcpStream::connect(control.upstream).await else { return reset(&client) };
    let _ = server.set_nodelay(true);
    let mute_both = AtomicBool::new(false);
    let over = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let pump = |end, salt| Pump {
            ailment,
            end,
            random: Random::of(random.clone().next(), salt),
            mute_both: &mute_both,
            control: &control,
        };
        tokio::select! {
            over = pump(ailment.up, "up").run(from_client, to_server) => over,
            over = pump(ailment.down, "down").run(from_server, to_client) => over,
            _ = resets.changed() => Over::Ended(End::Reset),
        }
    };
    match over {
        Over::Closed => {}
        Over::Ended(End::Reset) => {
            count(&control.counts.reset);
            reset(&client);
            reset(&server);
        }
        Over::Ended(_) => count(&control.counts.cut),
    }
}

/// Dropped after this, it is not closed but reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// One direction of a connection.
struct Pump<'a> {
    ailment: Ailment,
    end: Option<(u64, End)>,
    random: Random,
    mute_both: &'a AtomicBool,
    control: &'a Control,
}

impl Pump<'_> {
    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Over {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut passed = 0;
        loop {
            let Some(read) = read(&mut from, &mut buffer).await else { return Over::Closed };
            if self.mute_both.load(Ordering::Relaxed) {
                return self.mute(from).await;
            }
            let mut passing = read;
            let mut end = None;
            if self.is_toxic()
                && let Some((after, how)) = self.end
                && passed + read as u64 >= after
            {
                passing = usize::try_from(after.saturating_sub(passed)).unwrap_or(read).min(read);
                end = Some(how);
            }
            if self.pass(&mut to, &buffer[..passing]).await.is_err() {
                return Over::Closed;
            }
            passed += passing as u64;
            match end {
                None => {}
                Some(End::MuteBoth) => {
                    self.mute_both.store(true, Ordering::Relaxed);
                    return self.mute(from).await;
                }
                Some(End::Mute) => return self.mute(from).await,
                Some(end) => return Over::Ended(end),
            }
        }
    }

    fn is_toxic(&self) -> bool {
        *self.control.weather.borrow() != Weather::Clear
    }

    async fn pass(&mut self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> io::Result<()> {
        if self.ailment.delay.1 > 0 && self.is_toxic() {
            let (low, high) = self.ailment.delay;
            tokio::time::sleep(Duration::from_millis(self.random.between(low, high))).await;
        }
        for some in bytes.chunks(NARROW_BYTES) {
            if self.ailment.width > 0 && self.is_toxic() {
                tokio::time::sleep(Duration::from_millis(some.len() as u64 * 1_000 / self.ailment.width))
                    .await;
            }
            to.write_all(some).await?;
        }
        Ok(())
    }

    /// Swallows what comes, for ever: not even the end of one side is told to the other.
    async fn mute(&self, mut from: ReadHalf<'_>) -> Over {
        count(&self.control.counts.mute);
        let mut heals = self.control.heals.subscribe();
        let mut buffer = vec![0; BUFFER_BYTES];
        let swallow = async {
            while read(&mut from, &mut buffer).await.is_some() {}
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = swallow => {}
            _ = heals.changed() => {}
        }
        Over::Ended(End::Reset)
    }
}

/// How many bytes came; `None` at the end.
async fn read(from: &mut ReadHalf<'_>, buffer: &mut [u8]) -> Option<usize> {
    from.read(buffer).await.ok().filter(|read| *read > 0)
}

/// What a hotel's Wi-Fi answers to plain HTTP before somebody has signed in to it, in one of the usual ways.
async fn portal(client: &mut TcpStream, random: &mut Random) {
    let mut request = [0; 4 * 1024];
    let _ = client.read(&mut request).await;
    let page = "<!doctype html><html><body><form>Welcome to the lobby. Room number?</form></body></html>";
    let head = match random.below(3) {
        0 => "HTTP/1.1 200 OK\r\n",
        1 => "HTTP/1.1 302 Found\r\nLocation: /portal\r\n",
        _ => "HTTP/1.1 511 Network Authentication Required\r\n",
    };
    let length = page.len();
    let answer = format!(
        "{head}Content-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
    );
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
    // Closed with the request unread it would be a reset.
    while matches!(client.read(&mut request).await, Ok(read) if read > 0) {}
}
