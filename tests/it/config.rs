//! Every sample in `config/` loads and its expressions compile.

use cardsync::app::environment::Environment;
use std::path::Path;

#[test]
fn every_sample_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let environment = Environment::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!environment.sources.is_empty(), "{}", path.display());
        loaded += 1;
    }
    assert!(loaded >= 5, "only {loaded} samples");
}
