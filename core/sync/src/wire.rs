//! Bytes on the wire: CBOR, compressed with gzip, with a cap on what is read.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::messages::MAX_MESSAGE_BYTES;

/// A message that does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Larger than [`MAX_MESSAGE_BYTES`] after decompression.
    #[error("the message is larger than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    /// Not gzip.
    #[error("the message does not decompress")]
    Gzip,
    /// Not the expected CBOR.
    #[error("the message does not decode")]
    Cbor,
}

/// Encodes and compresses a message.
pub fn pack<T: minicbor::Encode<()>>(message: &T) -> Vec<u8> {
    let mut cbor = Vec::new();
    if minicbor::encode(message, &mut cbor).is_err() {
        unreachable!("writing into a vector does not fail");
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let written = gzip.write_all(&cbor).and_then(|()| gzip.finish());
    written.unwrap_or_default()
}

/// Decompresses, with a cap, and decodes a message.
pub fn unpack<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> Result<T, WireError> {
    let mut cbor = Vec::new();
    let limit = MAX_MESSAGE_BYTES as u64 + 1;
    GzDecoder::new(bytes).take(limit).read_to_end(&mut cbor).map_err(|_| WireError::Gzip)?;
    if cbor.len() > MAX_MESSAGE_BYTES {
        return Err(WireError::TooLarge);
    }
    minicbor::decode(&cbor).map_err(|_| WireError::Cbor)
}

/// Encodes a value for the store.
#[cfg(feature = "device")]
pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut cbor = Vec::new();
    if minicbor::encode(value, &mut cbor).is_err() {
        unreachable!("writing into a vector does not fail");
    }
    cbor
}

/// Decodes a value of the store.
#[cfg(feature = "device")]
pub(crate) fn decode<T: for<'b> minicbor::Decode<'b, ()>>(
    bytes: &[u8],
) -> Result<T, crate::device::DeviceError> {
    minicbor::decode(bytes).map_err(|_| crate::device::DeviceError::Stored("not the expected CBOR"))
}
