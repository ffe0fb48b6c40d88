// Package uplink joins a relay to the rooms that live on others. For each room
// somebody wants here it keeps two ways in, one from each of its parents in the
// room's red and blue tree (package plan), and follows what is announced there like
// any publisher's session (package ingest).
//
//	speaker → ingest relay ─┬→ red root  → … → red parent  ─┬→ this relay → its listeners
//	                        └→ blue root → … → blue parent ─┘
//
// Every group comes twice and the first copy wins, so either parent may die
// unheard. Who the parents are says the room's plan, which its red root keeps: a
// relay that follows the plan there takes part, and is let in. Until there is a
// plan, or when it leads nowhere, the parents are the roots that the directory
// names. The roots in turn take what is spoken at the relays that ask them.
//
// The package decides which relays are asked, and keeps asking; it carries no
// frame itself. One goroutine a room (attendance) owns all of that room's state;
// what it decides by (keeper, way.assess, [plan.Mover]) knows neither clock nor
// session.
package uplink
