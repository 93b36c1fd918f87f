//! The console as people and attackers meet it: who may, sessions, forms, passwords, and pages in a real browser.

mod accounts;
mod attacks;
mod browser;
mod journal;
mod live;
mod participants;
mod people;
mod reports;
mod routes;
