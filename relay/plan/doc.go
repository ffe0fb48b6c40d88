// Package plan decides which relays of a room feed which: every relay takes the
// room from two parents, one in a red tree and one in a blue one, so that no
// single relay can silence another. It is arithmetic on arrays of names. It
// starts no goroutine, opens no socket and reads no clock.
//
// # The construction
//
// The relays of one zone stand in one array, in the order in which they came:
// joining appends, and when one leaves, the last takes its place. Who feeds whom
// follows from the place alone. Entries 0, 2, 4 … can be parents in the red tree
// and are leaves in the blue one; entries 1, 3, 5 … the other way round. The
// parents of an entry are the earliest ones that have room:
//
//	red parent of i  = 2·hub(i)         entry 0 is the root
//	blue parent of i = 2·hub(i) + 1     entry 1 is the root; the parent of 0 is 1
//	hub(i)           = 0 for i ≤ G, else 1 + (i-G-1) / D
//
// D is the degree. A root has only G = D - ⌊D/2⌋ places for relays of its zone;
// the other E = ⌊D/2⌋ are for other zones, and this is how those hang together:
// the zones stand in an array of the same kind, in which a zone's red or blue
// root feeds the roots of up to E other zones. So a room enters a zone once in
// each colour, over a border that only the two roots of the zone look across.
//
//	one zone, D = 6 (G = 3):      red                  blue
//	                               0                    1
//	                             / | \                / | \
//	                            1  2  3              0  2  3
//	                              / \                      / \
//	                             4 … 9                    4 … 9
//
// # What this gives
//
// A parent is always an earlier entry, with the one exception that 1 feeds 0 in
// blue. So there can be no loop, and the last entry never has children; hence a
// newcomer moves nobody (but the first relay of a zone, which gets its second
// parent), and a leaver moves its own children and the one that takes its place:
// at most D + 1 relays. A relay has children in one colour only, so whatever
// hangs below it in that colour still has the other.
//
// In a zone of one the only relay is the root of both colours and feeds other
// zones in one: those at even places of the zones' array in red, those at odd
// places in blue. When the second relay comes the first keeps the colour it
// feeds, which is what [Zone.Flip] remembers. A room of two relays is then two
// roots that feed each other, be they in one zone or in two.
//
// # How deep
//
// Each level below the roots has about D/2 times the relays of the one above,
// from G on. [MinDegree] to [MaxDegree] and up to [MaxRelays] relays bound that;
// for the default degree 16 a zone of n relays is never deeper than
// ⌈log16 n⌉ + 1 below its root, and E + 1 = 9 zones are one border away from the
// roots. docs/plan.md has the table, and the tests go through every n.
package plan
