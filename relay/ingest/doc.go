// Package ingest takes what a session publishes into the relay's rooms: it reads
// the peer's announcements, offers each broadcast to the [room.Origin] as a
// source, and checks every group before a listener can see it. It decides
// nothing about who listens.
package ingest
