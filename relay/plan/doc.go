// Package plan decides which relays of a room feed which: every relay takes the
// room from two parents, one in a red tree and one in a blue one, so that no
// single relay can silence another. It is arithmetic on arrays of names. It
// starts no goroutine, opens no socket and reads no clock.
//
// # The construction
//
// Up to D relays, D being the degree, are a star: the two roots feed everybody.
//
// In a larger room the relays of one zone stand in one array, in the order in
// which they came: joining appends, and when one leaves, the last takes its
// place. Who feeds whom follows from the place alone. Entries 0, 2, 4 … can be
// parents in the red tree and are leaves in the blue one; entries 1, 3, 5 … the
// other way round. The parents of an entry are the earliest ones that have room:
//
//	red parent of i  = 2·hub(i)         entry 0 is the root
//	blue parent of i = 2·hub(i) + 1     entry 1 is the root; the parent of 0 is 1
//	hub(i)           = 0 for i ≤ G, else 1 + ⌊(i-G-1) / D⌋
//
// A root has only G of its D places for relays of its zone. The other E, about
// half and an odd number, are for other zones: these stand in an array of the
// same kind, in which a zone's red or blue root feeds the roots of up to E other
// zones. So a room enters a zone once in each colour, and only the two roots of
// the zone look across its border. With the default D = 16, G is 9 and E is 7.
//
// The smallest degree shows it best. D = 6 (G = 3, E = 3), a zone of ten and a
// second one of three:
//
//	zones  0 1 2 3 4 5 6 7 8 9     a b c
//
//	red  0                    blue  1
//	     ├ 1                        ├ 0
//	     ├ 2                        ├ 2
//	     │ └ 4 5 6 7 8 9            ├ 3
//	     ├ 3                        │ └ 4 5 6 7 8 9
//	     └ a                        └ b
//	       └ b c                      └ a c
//
// 1 and 3 are leaves in red and feed others in blue; 4 to 9 feed nobody yet. The
// border is crossed from 0 to a and from 1 to b. If 2 dies, 4 to 9 go on with 3.
// The next plan has 9 where 2 was, and red is whole again: six relays had to
// change a parent, and none of them in both colours but 9, which moved.
//
// # What this gives
//
// A parent is always an earlier entry, with the one exception that 1 feeds 0 in
// blue. So there can be no loop, and the last entry never has children; hence a
// newcomer moves nobody (but the first relay of a zone, which gets its second
// parent), and a leaver moves its own children and the one that takes its place:
// at most D + 1 relays. As many move at most when a room outgrows the star. A
// relay has children in one colour only, so whatever hangs below it in that
// colour still has the other.
//
// In a zone of one the only relay is the root of both colours and feeds other
// zones in one: those at even places of the zones' array in red, those at odd
// places in blue. When the second relay comes the first keeps the colour it
// feeds, so the array of a zone may have the colours exchanged. A room of two
// relays is two roots that feed each other, be they in one zone or in two.
//
// A star crosses a border once for each relay behind it: at most D times, for
// the sake of one hop to everybody in the rooms that are the most.
//
// # How deep
//
// Half of a parent's children are future parents, so each level below the roots
// has D/2 times the relays of the one above it, from G on. For degrees from 16
// on, a zone of n relays is never more than ⌈log_D n⌉ + 1 hops deep below its
// own root, for any n up to [MaxRelays]; for smaller degrees the bound is
// ⌈log_{D/2} n⌉ + 1. Each border adds a hop: with D = 16 there is one to cross in
// rooms of up to 7 zones (8 if the roots are in two), two in up to 28 (29). The
// same D in one zone:
//
//	hops                      1     2     3     4
//	relays of one zone       16    74   586  4096 and more
//
// # Who keeps it
//
// The red root of the newest plan keeps the room: it lets relays in and out, and
// publishes each plan as one frame ([Plan.Encode]) on the room's track "plan".
// The blue root does when the red one has died, and hands the room on to the next
// red root ([Plan.TakeOver]). [Version] puts all plans of a room in one order,
// those of two keepers who do not know of each other, too. After a split the
// loser's relays find that they are not in the plan that goes on, and ask to be
// let in again. A keeper that only wants a better root ([Plan.WithRoot]) waits
// until those before have settled: it takes a root that knows it is one for
// anybody to hear anything.
//
// # Who follows it
//
// A relay takes the newest plan ([Mover.Adopt]) and asks for one step after the
// other ([Mover.Next]) from the parents it has to those it should have. Here is a
// move in one colour while the other one keeps working:
//
//	holds 2 ── Take 4 ── holds 2 and 4 ── 4 works ── Drop 2 ── holds 4 ── 5 s of rest
//
// A root takes what is spoken first hand, from the relays that the speakers
// publish to. One that has ceased to be root goes on with that until a parent
// feeds it: the Mover knows of parents only.
package plan
