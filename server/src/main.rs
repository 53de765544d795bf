//! `innsync-server`: see `innsync-server --help`.

fn main() -> std::process::ExitCode {
    innsync_server::cli::main()
}
