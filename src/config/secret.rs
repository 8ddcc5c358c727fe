//! Secrets: where they are, never what they are. A value is read anew for every run and never printed.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
        "there is no systemd credential '{0}': CREDENTIALS_DIRECTORY {1}; add LoadCredential={0}:PATH to the unit, or use env or file outside systemd"
    )]
    Credential(String, String),
    #[error("the secret in {0} is empty; write the password there")]
    Empty(String),
}

impl SecretRef {
    /// Reads the secret now. One trailing line end is taken off.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let (text, place) = match self {
            SecretRef::Env(EnvSecret { env }) => {
                let text = std::env::var(env).map_err(|_| SecretError::EnvMissing(env.clone()))?;
                (text, format!("the environment variable {env}"))
            }
            SecretRef::File(FileSecret { file }) => {
                let text = std::fs::read_to_string(file).map_err(|e| SecretError::File {
                    path: file.clone(),
                    why: e.to_string(),
                })?;
                (text, format!("the file {}", file.display()))
            }
            SecretRef::Credential(CredentialSecret { credential }) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::Credential(credential.clone(), "is not set".to_owned()))?;
                let path = PathBuf::from(folder).join(credential);
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| SecretError::Credential(credential.clone(), format!("has no such file ({e})")))?;
                (text, format!("the credential {credential}"))
            }
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(SecretError::Empty(place));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}
