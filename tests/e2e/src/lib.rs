//! Server and clients as real processes and sockets: the seed's scenarios and bad input.
