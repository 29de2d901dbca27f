//! What the program gives no occasion to show: a listener that panics, one whose arguments are
//! missing, and the order of the three listeners of an event.
