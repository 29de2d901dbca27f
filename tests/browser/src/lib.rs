//! What a reader sees, in a headless browser
