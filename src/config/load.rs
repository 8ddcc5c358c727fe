//! Reading a configuration file: shape, structs, meaning, and everything that is wrong at once.

use super::Config;
use super::decides::{HOW, take_out};
use super::policy::{key_spec, zone};
use super::problem::{ConfigProblem, ConfigProblems, Fault, Locations};
use super::schema::schema;
use super::shape::{Shaped, shape};
use super::show::effective;
use super::tree::{self, MAX_BYTES};
use super::validate;
use crate::core::model::key::KeySpec;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A configuration that was read and is right, as far as reading can tell.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// With relative paths resolved against the folder of the file.
    pub config: Config,
    /// The key that decides who is who.
    pub key: KeySpec,
    /// The zone of 'today', dates and hours.
    pub zone: Tz,
    /// The file as it was named.
    pub path: PathBuf,
    /// SHA-256 of the effective configuration, in hexadecimal: defaults filled in, secrets by their place only. The
    /// same for two files that differ in comments, order or spelled-out defaults.
    pub config_hash: String,
    /// Where each option stands.
    pub locations: Locations,
}

impl Loaded {
    /// A problem that was found elsewhere, e.g. in an expression, with its place in the file. `path` is the option's, as in
    /// `fields.email` or `sources[1].filter`; `cure` may be empty.
    pub fn problem(&self, path: &str, message: impl Into<String>, cure: impl Into<String>) -> ConfigProblem {
        located(&self.path, &self.locations, Fault::new(path, message, cure))
    }

    /// The same for several.
    pub fn problems(&self, faults: impl IntoIterator<Item = Fault>) -> ConfigProblems {
        let located = faults
            .into_iter()
            .map(|fault| located(&self.path, &self.locations, fault));
        ConfigProblems::new(&self.path, located.collect())
    }
}

/// Reads the file at `path`.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn load(path: &Path) -> Result<Loaded, ConfigProblems> {
    load_with(path, &|_| Vec::new())
}

/// Reads the file at `path`, and has more looked at than this module knows, such as expressions: all problems at once.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn load_with(path: &Path, more: &dyn Fn(&Config) -> Vec<Fault>) -> Result<Loaded, ConfigProblems> {
    let text = read(path).map_err(|(message, cure)| {
        let problem = ConfigProblem {
            file: path.to_owned(),
            place: None,
            path: String::new(),
            message,
            cure: cure.to_owned(),
        };
        ConfigProblems::new(path, vec![problem])
    })?;
    parsed(path, &text, more)
}

fn read(path: &Path) -> Result<String, (String, &'static str)> {
    const CURE: &str = "name the configuration file with -c FILE or CARDSYNC_CONFIG; `cardsync config init FILE` writes a starter file";
    if path.is_dir() {
        return Err(("is a folder, not a file".to_owned(), CURE));
    }
    // Looked at before it is opened: a pipe would wait for its writer.
    if path.exists() && !path.is_file() {
        return Err((
            "is neither a file nor a folder, such as a pipe or a device".to_owned(),
            CURE,
        ));
    }
    let file = std::fs::File::open(path).map_err(|e| (format!("cannot be read: {e}"), CURE))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| (format!("cannot be read: {e}"), CURE))?;
    if bytes.len() > MAX_BYTES {
        return Err((
            format!("is larger than {MAX_BYTES} bytes"),
            "this is not a cardsync configuration",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        (format!("is not UTF-8 text, see line {line}"), "save it as UTF-8")
    })?;
    Ok(text)
}

/// Reads a configuration from text; `path` stands for the file in messages, and relative paths start in its folder.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn from_text(path: &Path, text: &str) -> Result<Loaded, ConfigProblems> {
    parsed(path, text, &|_| Vec::new())
}

fn parsed(path: &Path, text: &str, more: &dyn Fn(&Config) -> Vec<Fault>) -> Result<Loaded, ConfigProblems> {
    let (tree, yaml_faults) = tree::parse(text);
    let mut problems: Vec<ConfigProblem> = yaml_faults
        .into_iter()
        .map(|fault| ConfigProblem {
            file: path.to_owned(),
            place: fault.place,
            path: fault.path,
            message: fault.message,
            cure: fault.cure,
        })
        .collect();
    let Some(tree) = tree else {
        return Err(ConfigProblems::new(path, problems));
    };
    let Shaped {
        value,
        faults,
        locations,
        doubtful,
    } = shape(&tree, &schema());
    let right_shape = faults.is_empty();
    problems.extend(faults.into_iter().map(|fault| located(path, &locations, fault)));
    let config: Config = match serde_json::from_value(value) {
        Ok(config) => config,
        Err(error) => {
            // The shape is made from the same structs, so this says something only where the shape had no words.
            if right_shape {
                problems.push(located(path, &locations, Fault::new("", error.to_string(), "")));
            }
            return Err(ConfigProblems::new(path, problems));
        }
    };
    let meaning = validate::faults(&config, &doubtful, more);
    problems.extend(meaning.into_iter().map(|fault| located(path, &locations, fault)));
    let (key, zone) = match (key_spec(&config), zone(&config)) {
        (Ok(key), Ok(zone)) if problems.is_empty() => (key, zone),
        // What is wrong with them the checks have told.
        _ => return Err(ConfigProblems::new(path, problems)),
    };
    Ok(Loaded {
        key,
        zone,
        config_hash: config_hash(&config),
        config: with_paths_from(config, path.parent().unwrap_or(Path::new(""))),
        path: path.to_owned(),
        locations,
    })
}

fn located(file: &Path, locations: &Locations, fault: Fault) -> ConfigProblem {
    ConfigProblem {
        file: file.to_owned(),
        place: Some(locations.find(&fault.path)),
        path: fault.path,
        message: fault.message,
        cure: fault.cure,
    }
}

/// SHA-256 of everything that decides a plan, as the file says it or leaves it to defaults, in hexadecimal. Options that
/// say of themselves that they decide nothing of a plan ([`super::decides`]) are not in it: editing those is no changed configuration.
pub fn config_hash(config: &Config) -> String {
    let mut config = serde_json::to_value(effective(config)).expect("a configuration is plain data");
    take_out(&mut config, &[], HOW);
    // Structs and sorted maps: the same configuration gives the same bytes.
    let bytes = serde_json::to_vec(&config).expect("a configuration is plain data");
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Relative paths mean the folder of the configuration file, whatever folder the command is run from.
fn with_paths_from(mut config: Config, folder: &Path) -> Config {
    config.each_path(&mut |path| *path = folder.join(&*path));
    config
}

#[cfg(test)]
mod meaning_tests;
#[cfg(test)]
mod tests;
