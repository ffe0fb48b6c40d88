// Package hop decides when a client changes its relay, and to which: a [Machine]
// for a listener, a [Pair] for a speaker. It is told what happens and what time
// it is, and answers with what to do. It opens no socket, starts no goroutine and
// reads no clock; what was lost for good it leaves to playout and its repairs.
//
// # Driving it
//
// One goroutine owns the machine, with one timer:
//
//	m := hop.New(hop.Options{Jitter: rand.Float64()})
//	for {
//		if at, ok := m.Deadline(); ok {
//			timer.Reset(at - now())
//		}
//		select {
//		case e := <-events: // from the sessions
//			do(m.Step(now(), e))
//		case <-timer.C:
//			do(m.Step(now(), hop.Event{}))
//		case <-ctx.Done():
//			return
//		}
//	}
//
// Where a mutex fits better than a channel, hold it during Step and do. Effects
// are started, not waited for: [Dial] ends in an event. What the machine asks of
// a session it has closed, or hears from one, matters to neither side, so the
// two need not agree on when exactly it ended. A step for a group costs no
// allocation and, in the usual case, one look at its track.
//
// # Sessions
//
// A listener has a primary, whose tracks and tick it is subscribed to, and a
// standby: connected, following the announcements, subscribed to nothing. A
// third and a fourth exist while one is being replaced, five are the limit. The
// primary and the standby are never the same relay, and of two zones if the
// candidates allow. A relay or a user may want the standby cold: then it is only
// a candidate, to be dialled in need.
//
//	dialling -> up: standby <-> on trial -> primary -> closed
//	                    \-> in use for a hop -/
//
// On trial a session is subscribed to single tracks, in use to all and the tick.
// Every subscription begins at the first frame that no session has brought.
//
// Nothing comes over a standby, so that its relay has died is not seen there for
// seconds. Relays watch each other, and the primary's tells who is gone: a standby
// there is closed at once, and the next is dialled 250 ms to 2.25 s later. The
// primary is never left for hearsay, nor a session that has answered.
//
// # A track
//
//	resting --group--> talking --overdue--> alarmed --group--> talking
//	   ^                                       |
//	   +------- the line is alive, the standby has nothing either
//
// A group is overdue when it has not come by the time the primary has usually
// brought groups by, one packet after the last, plus a margin:
//
//	late      = (arrival - media time) - the least of it    of each group
//	spread    = the most of late in the last 5 to 10 s      at most 80 ms
//	margin    = 1.5 spread, at least 30 ms, at most 120 ms, and at most what
//	            leaves the standby 100 ms for its answer
//	overdueAt = arrival + packet - late + margin
//
// The margin rises with the first late packet and falls 5 to 10 s after the
// last, so a false alarm does not soon repeat itself. The alarm puts the standby
// on trial for the track. Nothing is given up by that. With a delay D, packets
// of P and a round trip R, counted from the last group of a relay that dies:
//
//	                        P =  20    60   120 ms
//	overdue       P + 30         50    90   150
//	answered      + R = 40       90   130   190
//	due           20 + D        220   220   340    D = 200, 200, 320 ms
//	to spare                    130    90   150
//	at the widest margin         60    60    60
//
// On a path that is late throughout, a packet is overdue 30 ms after the usual
// time all the same. The trial ends
//
//   - when the primary is up to date again: at once if the packet was late, if it
//     was lost when the standby has brought it, after 2 s if it stays behind;
//   - 250 ms after it began, if the line is alive by ticks or other tracks: a
//     pause, as it seems. Ticks come from the relay itself and say nothing of its
//     way to the speaker, so the trial is repeated after 2, 4, 8 and 16 s;
//   - when it is said that no relay sends what is to come to listeners: of a crowded
//     stage only the loudest are heard (docs/stage-audio.md);
//   - with a hop, when the standby is two packets ahead and the primary has
//     brought nothing of the track for max(200 ms, 2P) + margin. That the
//     standby is first proves little; being played anyway, it can wait for proof.
//
// After eight false alarms in 10 to 20 s the line cries wolf: for a while the
// standby is tried 120 ms after the packet was expected, and after sixteen only
// when that hop would be due.
//
// # The line
//
// A relay that has sent a session nothing for 200 ms sends a tick. So the line is
// silent when nothing at all, group or tick, has come for 200 ms and the margin.
// Then the standby is put in use, all tracks and the tick, in case somebody
// begins to speak. The line is dead 200 ms later: the standby takes over if it
// has answered, and if not further relays are dialled until somebody does, two
// at once at the most. A cold standby is dialled when the line falls silent
// after a group; one lost tick in a pause is no reason to. When the line comes
// back before that, all is taken back. A room in which nobody speaks ticks, and
// nothing happens. Relays without ticks are left only when another delivers what
// they do not, or they close.
//
// # Hops
//
// Each has a cause and takes these steps: find a session (the candidate that a
// GOAWAY names, the standby, or one to be dialled), put it in use, wait until it
// has caught up (it has brought every track under way up to the primary's newest
// group but one, or a second has passed and something came), close the old one,
// report when something has come over the new.
//
//   - drain, load: a GOAWAY. Its URIs count only where they name a candidate, and
//     then that is dialled as listed. After 2 s, or half the time that is left,
//     the standby is used instead. Being told so for load, a listener may stay:
//     it does not go back to a relay that lately said the same.
//   - closed: the standby is the primary at once; else whoever is dialled first.
//   - silence: above.
//   - network: the local address is gone. All sessions are stale and a new one is
//     dialled, whatever relay is best; a session that lives on for 15 s without
//     a successor was not hurt, and stays.
//   - better: if it is said for 20 s that a candidate is better, and the last hop
//     was a minute ago.
//
// If the new session fails before anything came over it, the hop goes on and is
// reported once, with the cause and the time it began with.
//
// # Damping
//
// Attempts at one relay are spaced by 1 s, doubled up to 15 to 30 s, for ever, and
// the lobby is asked when there is nobody to dial, after 1 s, doubled up to 30 s;
// Options.Jitter stretches each pause. A relay that was left is taken last: for
// 10 s after a failure, 30 s after a drain, 30 s doubled up to 8 min for load, one
// minute after a better one was found. Hops that could be left out (load, better,
// and silence of a track while its line is alive) number four a minute at most. The
// next standby is dialled 250 ms to 2.25 s after a hop.
//
// # Speakers
//
// A [Pair] keeps two relays, both live, so that neither's end is heard: a session
// that closes, is drained, mute for five ticks or of the old network is replaced,
// and closed only when two others are up.
//
// testdata/cases.json holds all that as a table, which other implementations
// share; testdata/README.md says how to read it.
package hop
