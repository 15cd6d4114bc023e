// Package h1 is HTTP/1.1 on one connection, as lean as it can be without being careless: what the balancer speaks with its workers and its
// plain clients, and the load client with its target. It is strict in what it reads (RFC 9110, RFC 9112), because what two programs read
// differently becomes a way to smuggle: framing that is not certain is an error, never a guess.
//
//	field.go    header fields, in the order they came
//	head.go     a block of fields, and what may be in one
//	framing.go  how the length of a body is known
//	reader.go   the buffer in front of a connection
//	body.go     reading a body: of known length, in chunks, or until the connection ends
//	conn.go     the client's side of a connection
//	answer.go   the head of an answer
//	pool.go     idle connections to one address
//	probe.go    whether a connection that nobody reads is still quiet
//	server.go   the server's side: serverconn.go one connection, serverwait.go its deadlines, request.go its heads, requestbody.go,
//	            response.go, responsebody.go, refuse.go; watch.go sees clients leave
//
// Nothing here starts a goroutine for a request. A head costs one allocation: its text, of which the fields are parts.
package h1
