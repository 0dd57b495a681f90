//! Reading raw bytes: nothing is allocated for what they claim, and running out of them is an error.

/// What was read, or what is wrong with the bytes.
pub(super) type Found<T> = Result<T, &'static str>;

/// Bytes still to be read.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Found<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or("it ends too early")?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Found<u8> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or_default())
    }

    pub(super) fn unsigned(&mut self) -> Found<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err("a number is too large");
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    pub(super) fn signed(&mut self) -> Found<i64> {
        let mut value = 0i64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if shift < 57 && byte & 0x40 != 0 {
                    value |= -1 << (shift + 7);
                }
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    pub(super) fn count(&mut self, most: u64, what: &'static str) -> Found<usize> {
        let count = self.unsigned()?;
        if count > most { Err(what) } else { Ok(count as usize) }
    }
}
