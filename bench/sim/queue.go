package sim

import "time"

// A kind says what is to be done at an event's time.
type kind uint8

const (
	call     kind = iota // run
	measure              // a relay looks at its load: a
	announce             // what a relay says of itself is told: a
	news                 // it is heard in a zone: a relay, b zone, c the load
	arrive               // the next of a wave comes: a wave
	leave                // a listener goes home: a
	wake                 // a listener's machine is due: a
	tell                 // a session of a listener has something to tell: a listener, b session, c what
	lobby                // a listener's question has reached a lobby: a
	turn                 // a relay looks around in a room: a room, b relay
	adopt                // a plan has reached the relays of a zone: a room, b zone, with plan
	flow                 // who has audio in a room is worked out anew: a room
	chat                 // a speaker's pair is due: a
	patience             // a page has waited long enough for its first session: a
)

// An event is something that is due. Of two at the same time the one that was
// noted first comes first.
type event struct {
	at      time.Duration
	n       uint64
	kind    kind
	a, b, c int32
	run     func() // of call
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.n < o.n }

// A queue is a heap of events, four to a parent.
type queue struct {
	events []event
	n      uint64
}

func (q *queue) push(e event) {
	q.n++
	e.n = q.n
	q.events = append(q.events, e)
	i := len(q.events) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&q.events[up]) {
			break
		}
		q.events[i] = q.events[up]
		i = up
	}
	q.events[i] = e
}

func (q *queue) pop() event {
	first := q.events[0]
	last := len(q.events) - 1
	e := q.events[last]
	q.events[last] = event{}
	q.events = q.events[:last]
	if last == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= last {
			break
		}
		for c := least + 1; c < min(4*i+5, last); c++ {
			if q.events[c].before(&q.events[least]) {
				least = c
			}
		}
		if !q.events[least].before(&e) {
			break
		}
		q.events[i] = q.events[least]
		i = least
	}
	q.events[i] = e
	return first
}
