//! Many small messages in few requests, over a bus that limits the number and size of requests.
