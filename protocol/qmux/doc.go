// Package qmux is the framing that carries the streams of one session over a
// WebSocket, for browsers without WebTransport (docs/wire.md, section 20): Go
// values on one side, bytes on the other. It opens no socket, starts no
// goroutine and reads no clock; package conn below it does.
//
// A binary WebSocket message is a record, and a record is frames back to back:
//
//	for {
//		frame, rest, err := qmux.Next(record)
//		if frame == nil || err != nil {
//			break
//		}
//		record = rest
//	}
//
// The frames are those of QUIC (RFC 9000 §19) that a reliable transport needs,
// and three of its own.
package qmux
