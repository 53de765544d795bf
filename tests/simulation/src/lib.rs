//! Phones and server in one thread, under virtual time and one seed.
