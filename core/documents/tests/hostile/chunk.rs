//! Change chunks put together by hand, with a valid checksum whatever is in them.

use registro_documents::bytes::sha256;

/// A change chunk before it is put together.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    pub deps: Vec<[u8; 32]>,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub start_op: u64,
    pub time: i64,
    pub message: Vec<u8>,
    pub others: Vec<Vec<u8>>,
    /// Specification and bytes of each column.
    pub columns: Vec<(u64, Vec<u8>)>,
    pub rest: Vec<u8>,
}

pub fn unsigned(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

pub fn signed(mut value: i64, out: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        let sign = byte & 0x40 != 0;
        if (value == 0 && !sign) || (value == -1 && sign) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// A column that says one value so many times.
pub fn run(count: i64, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    signed(count, &mut bytes);
    bytes.extend_from_slice(value);
    bytes
}

impl Chunk {
    fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let bytes = |bytes: &[u8], out: &mut Vec<u8>| {
            unsigned(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        };
        unsigned(self.deps.len() as u64, &mut out);
        self.deps.iter().for_each(|dep| out.extend_from_slice(dep));
        bytes(&self.actor, &mut out);
        unsigned(self.seq, &mut out);
        unsigned(self.start_op, &mut out);
        signed(self.time, &mut out);
        bytes(&self.message, &mut out);
        unsigned(self.others.len() as u64, &mut out);
        self.others.iter().for_each(|actor| bytes(actor, &mut out));
        unsigned(self.columns.len() as u64, &mut out);
        for (spec, data) in &self.columns {
            unsigned(*spec, &mut out);
            unsigned(data.len() as u64, &mut out);
        }
        self.columns.iter().for_each(|(_, data)| out.extend_from_slice(data));
        out.extend_from_slice(&self.rest);
        out
    }

    /// The whole chunk.
    pub fn bytes(&self) -> Vec<u8> {
        wrap(1, &self.body())
    }
}

/// Reads the pieces of a sound chunk, one after the other.
pub struct Pieces<'a>(pub &'a [u8]);

impl<'a> Pieces<'a> {
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(count);
        self.0 = tail;
        head
    }

    pub fn unsigned(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    pub fn signed(&mut self) -> i64 {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let byte = self.take(1)[0];
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return if shift < 64 && byte & 0x40 != 0 { value | (-1 << shift) } else { value };
            }
        }
    }

    pub fn prefixed(&mut self) -> Vec<u8> {
        let length = self.unsigned() as usize;
        self.take(length).to_vec()
    }

    /// Specification and length of columns.
    pub fn columns(&mut self) -> Vec<(u64, usize)> {
        (0..self.unsigned()).map(|_| (self.unsigned(), self.unsigned() as usize)).collect()
    }
}

impl Chunk {
    /// Takes a sound change chunk apart.
    pub fn read(bytes: &[u8]) -> Self {
        let mut pieces = Pieces(&bytes[9..]);
        pieces.unsigned();
        let deps = (0..pieces.unsigned()).map(|_| pieces.take(32).try_into().unwrap()).collect();
        let actor = pieces.prefixed();
        let (seq, start_op, time) = (pieces.unsigned(), pieces.unsigned(), pieces.signed());
        let message = pieces.prefixed();
        let others = (0..pieces.unsigned()).map(|_| pieces.prefixed()).collect();
        let columns =
            pieces.columns().into_iter().map(|(spec, length)| (spec, pieces.take(length).to_vec())).collect();
        Self { deps, actor, seq, start_op, time, message, others, columns, rest: pieces.0.to_vec() }
    }
}

/// Puts magic, checksum, type and length before a body.
pub fn wrap(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![chunk_type];
    unsigned(body.len() as u64, &mut hashed);
    hashed.extend_from_slice(body);
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83];
    out.extend_from_slice(&sha256(&hashed)[..4]);
    out.extend_from_slice(&hashed);
    out
}

/// Makes the checksum of changed bytes valid again.
pub fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > 8 {
        let digest = sha256(&bytes[8..]);
        bytes[4..8].copy_from_slice(&digest[..4]);
    }
    bytes
}
