//! The command line, tested as its users meet it: real processes, real profiles, a real
//! signalling server.

mod blobs;
mod change;
mod commands;
mod common;
mod credentials;
mod devices;
mod errors;
mod meeting;
mod members;
mod pairing;
mod passphrase;
mod past;
mod search;
mod serving;
mod several;
mod transfer;
mod transfer_files;
