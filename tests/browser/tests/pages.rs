//! What a reader sees of each chapter's page and of the book.

mod book;
mod chapter_0;
mod chapter_1;
mod chapter_2;
mod chapter_3;
mod chapter_4;
mod chapter_5;
mod chapter_6;
mod chapter_6_1;
mod chapter_6_2;
mod chapter_6_3;
mod chapter_6_4;
mod chapter_6_5;
mod chapter_6_6;
mod gif_chat;
