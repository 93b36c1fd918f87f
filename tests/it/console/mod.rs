//! The console as people and attackers meet it: who may, sessions, forms, passwords, and pages in a real browser.

mod accessibility;
mod accounts;
mod api;
mod api_acts;
mod api_docs;
mod attacks;
mod browser;
mod day;
mod journal;
mod live;
mod operators;
mod participants;
mod people;
mod reports;
mod routes;
mod scripts;
