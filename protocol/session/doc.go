// Package session carries moq-lite over one connection: it sends and reads
// SETUP, turns streams and datagrams into requests and groups, and hands what
// the peer asks to a [Publisher]. It knows neither rooms nor audio, decides
// nothing about what is served, and never waits for a slow peer on behalf of
// another session.
//
// The connection comes in as a [Conn], which native QUIC ([FromQUIC]),
// WebTransport ([FromWebTransport]) and a WebSocket (package protocol/qmux/conn)
// satisfy, so nothing above this package knows which of them a peer came by.
//
//	s := session.New(session.FromQUIC(conn), session.Config{Publisher: p})
//	go s.Run(ctx)
//	sub, err := s.Subscribe(ctx, request, sink)
//
// A [Session] is symmetric: either end may publish, subscribe or both.
package session
