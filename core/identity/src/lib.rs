//! Sessions and logins: who the person on this device is, and the traits that keep their secrets.
