//! Starts a chapter and talks to it over the wire, as a test or a reader's client would
