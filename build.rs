//! Notes when the program is built: a machine whose clock is before that has a wrong clock.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    // A new version is a new build; a change of the sources alone would build everything twice.
    for file in ["build.rs", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
    }
    // Reproducible builds say it themselves: <https://reproducible-builds.org/specs/source-date-epoch/>.
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let stated = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    #[allow(clippy::disallowed_methods, reason = "this is no part of the program")]
    let now = SystemTime::now();
    let built = stated.unwrap_or_else(|| now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    println!("cargo::rustc-env=CARDSYNC_BUILT={built}");
}
