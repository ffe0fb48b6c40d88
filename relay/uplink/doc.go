// Package uplink joins a relay to the rooms that live on others. For each room
// somebody wants here it keeps two ways in, one from each of the room's roots,
// and follows what is announced there like any publisher's session (package
// ingest); the roots in turn are told what is spoken at this relay.
//
//	speaker → ingest relay ─┬→ red root  ─┬→ this relay → its listeners
//	                        └→ blue root ─┘
//
// Every group comes twice and the first copy wins, so either root may die
// unheard. The package decides which relays are asked (parents, a plain
// function) and keeps asking; it carries no frame itself.
package uplink
