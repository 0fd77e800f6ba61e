//! What runs through a proxy, and what does not.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use test_servers::{Proxy, Upstream};

/// A server that sends back what it gets, behind its own letter.
fn echo(letter: u8) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut byte = [0];
                while stream.read(&mut byte).is_ok_and(|length| length == 1) {
                    stream.write_all(&[letter, byte[0]]).unwrap();
                }
            });
        }
    });
    address
}

fn ask(stream: &mut TcpStream, byte: u8) -> [u8; 2] {
    stream.write_all(&[byte]).unwrap();
    answer(stream)
}

fn answer(stream: &mut TcpStream) -> [u8; 2] {
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn a_cut_ends_the_connections_that_there_are_and_no_later_ones() {
    let proxy = Proxy::start(Upstream::Tcp(echo(b'a')));
    let mut first = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut first, b'1'), *b"a1");
    proxy.redirect(Upstream::Tcp(echo(b'b')));
    assert_eq!(ask(&mut first, b'2'), *b"a2", "it stays where it is");
    proxy.cut();
    assert!(!matches!(first.read(&mut [0]), Ok(1..)), "it is over");
    let mut second = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut second, b'3'), *b"b3");
    drop(proxy);
    assert!(!matches!(second.read(&mut [0]), Ok(1..)), "it is over");
}

#[test]
fn what_is_stalled_comes_later_and_in_order() {
    let proxy = Proxy::start(Upstream::Tcp(echo(b'a')));
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream, b'1'), *b"a1");
    proxy.stall();
    stream.write_all(b"23").unwrap();
    stream.set_nonblocking(true).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "nothing has come");
    stream.set_nonblocking(false).unwrap();
    let (said, hear) = mpsc::channel();
    let reader = thread::spawn(move || {
        said.send(()).unwrap();
        [answer(&mut stream), answer(&mut stream)]
    });
    hear.recv().unwrap();
    proxy.resume();
    assert_eq!(reader.join().unwrap(), [*b"a2", *b"a3"]);
}

#[test]
fn what_is_stalled_can_be_cut() {
    let proxy = Proxy::start(Upstream::Tcp(echo(b'a')));
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream, b'1'), *b"a1");
    proxy.stall();
    stream.write_all(b"2").unwrap();
    proxy.cut();
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)), "it is over");
}
