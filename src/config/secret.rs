//! Secrets: where they are, never what they are. A value is read anew for every run and never printed.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where a secret is. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend(
    "x-cure" = "the secret itself never stands in this file: write { env: NAME }, { file: PATH } or { credential: NAME }"
))]
pub enum SecretRef {
    /// `{ env: NAME }`: an environment variable.
    Env(EnvSecret),
    /// `{ file: PATH }`: the content of a file, without the line end.
    File(FileSecret),
    /// `{ credential: NAME }`: a systemd credential (`LoadCredential=`).
    Credential(CredentialSecret),
}

impl SecretRef {
    /// The file that it is in, where it is in one.
    pub fn each_path(&mut self, visit: &mut dyn FnMut(&mut PathBuf)) {
        match self {
            SecretRef::File(place) => visit(&mut place.file),
            SecretRef::Env(_) | SecretRef::Credential(_) => {}
        }
    }
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvSecret {
    pub env: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSecret {
    pub file: PathBuf,
}

/// A systemd credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialSecret {
    pub credential: String,
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    #[error("the environment variable {0} is not set; set it, or name another place for the secret")]
    EnvMissing(String),
    #[error("cannot read the secret file {path}: {why}; it must exist and be readable by the user cardsync runs as")]
    File { path: PathBuf, why: String },
    #[error(
        "there is no systemd credential '{0}': CREDENTIALS_DIRECTORY {1}; add LoadCredential={0}:PATH to the unit; by hand, set CREDENTIALS_DIRECTORY to the folder of that file, or use env or file"
    )]
    Credential(String, String),
    #[error("the secret in {0} is empty; write the password there")]
    Empty(String),
    #[error("the secret in {0} is not UTF-8 text; write the password there as UTF-8")]
    NotText(String),
}

impl SecretRef {
    /// Reads the secret now. Line ends behind it and a byte order mark before it are taken off.
    ///
    /// # Errors
    /// When there is nothing at its place. The error names the place, never what is there.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        self.read_with(|name| std::env::var_os(name))
    }

    /// The same with the environment handed in.
    fn read_with(&self, environment: impl Fn(&str) -> Option<OsString>) -> Result<SecretString, SecretError> {
        let (text, place) = match self {
            SecretRef::Env(EnvSecret { env }) => {
                let place = format!("the environment variable {env}");
                let text = environment(env).ok_or_else(|| SecretError::EnvMissing(env.clone()))?;
                (
                    text.into_string().map_err(|_| SecretError::NotText(place.clone()))?,
                    place,
                )
            }
            SecretRef::File(FileSecret { file }) => {
                let text = read_small(file).map_err(|e| SecretError::File {
                    path: file.clone(),
                    why: e.to_string(),
                })?;
                (text, format!("the file {}", file.display()))
            }
            SecretRef::Credential(CredentialSecret { credential }) => {
                let folder = environment("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::Credential(credential.clone(), "is not set".to_owned()))?;
                let path = PathBuf::from(folder).join(credential);
                let text = read_small(&path)
                    .map_err(|e| SecretError::Credential(credential.clone(), format!("has no such file ({e})")))?;
                (text, format!("the credential {credential}"))
            }
        };
        // Editors put a byte order mark before the text and line ends behind it; no password has either.
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(SecretError::Empty(place));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}

/// Far longer than any password.
const LONGEST: u64 = 64 * 1024;

/// The text of a file that is one: a pipe would wait for its writer, and a device may have no end.
fn read_small(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.is_file() {
        let mut text = String::new();
        let bytes = std::fs::File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
        if bytes as u64 <= LONGEST {
            return Ok(text);
        }
        return Err(std::io::Error::other(format!("it is larger than {LONGEST} bytes")));
    }
    Err(std::io::Error::other("it is not a file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn env(name: &str) -> SecretRef {
        SecretRef::Env(EnvSecret { env: name.to_owned() })
    }

    fn file(path: &Path) -> SecretRef {
        SecretRef::File(FileSecret { file: path.to_owned() })
    }

    fn credential(name: &str) -> SecretRef {
        SecretRef::Credential(CredentialSecret {
            credential: name.to_owned(),
        })
    }

    fn nowhere(_: &str) -> Option<OsString> {
        None
    }

    #[test]
    fn a_secret_is_read_from_its_place_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("topdesk"), "\u{feff} hunter2 \r\n\r\n").unwrap();
        let environment = |name: &str| match name {
            "PASSWORD" => Some(OsString::from("hunter3\n")),
            "CREDENTIALS_DIRECTORY" => Some(folder.path().as_os_str().to_owned()),
            _ => None,
        };
        let read = |secret: SecretRef| secret.read_with(environment).unwrap().expose_secret().to_owned();
        assert_eq!(read(env("PASSWORD")), "hunter3");
        assert_eq!(read(credential("topdesk")), " hunter2 ");
        assert_eq!(read(file(&folder.path().join("topdesk"))), " hunter2 ");
    }

    #[test]
    fn a_secret_that_is_not_there_says_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        let with_folder = |_: &str| Some(folder.path().as_os_str().to_owned());
        let told = |error: Result<SecretString, SecretError>| error.unwrap_err().to_string();
        assert!(told(env("PASSWORD").read_with(nowhere)).contains("variable PASSWORD is not set"));
        assert!(told(file(&folder.path().join("none")).read_with(nowhere)).contains("/none: No such file"));
        assert!(told(file(&empty).read_with(nowhere)).contains("/empty is empty"));
        assert!(told(credential("topdesk").read_with(nowhere)).contains("CREDENTIALS_DIRECTORY is not set"));
        assert!(told(credential("topdesk").read_with(with_folder)).contains("LoadCredential=topdesk:PATH"));
    }

    #[test]
    fn debug_and_errors_never_print_a_secret() {
        use std::os::unix::ffi::OsStringExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2").unwrap();
        let secret = file(&path);
        let value = secret.read().unwrap();
        assert_eq!(value.expose_secret(), "hunter2");
        assert!(!format!("{secret:?} {value:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&secret).unwrap().contains("hunter2"));
        std::fs::write(&path, b"hunter2\xff").unwrap();
        let error = secret.read().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let not_text = |_: &str| Some(OsString::from_vec(b"hunter2\xff".to_vec()));
        let error = env("PASSWORD").read_with(not_text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
