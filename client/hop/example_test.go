package hop_test

import (
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

// A relay dies without a word after the group that came at 1,000 ms.
func ExampleMachine() {
	m := hop.New(hop.Options{})
	step := func(at int, e hop.Event) {
		for _, e := range m.Step(time.Duration(at)*time.Millisecond, e) {
			switch e.Kind {
			case hop.Dial:
				fmt.Println(at, e.Kind, e.Session, e.Candidate.Name)
			case hop.Subscribe:
				fmt.Println(at, e.Kind, e.Session, "track", e.Track, "from", e.Start)
			case hop.Hopped:
				fmt.Println(at, e.Kind, e.From, e.To, e.Cause, e.Took)
			default:
				fmt.Println(at, e.Kind, e.Session, e.Cause)
			}
		}
	}
	group := func(at int, s hop.Session, sequence uint64) {
		step(at, hop.Event{
			Kind: hop.Arrived, Session: s, Track: 1,
			Sequence: sequence, Frames: 3, Timestamp: time.Duration(sequence) * hop.Frame,
		})
	}

	step(0, hop.Event{Kind: hop.Candidates, Candidates: []hop.Candidate{
		{Name: "paris", Zone: "fr", URL: "https://paris.example:4443"},
		{Name: "milan", Zone: "it", URL: "https://milan.example:4443"},
	}})
	step(40, hop.Event{Kind: hop.Dialled, Session: 1, Ticks: true})
	step(45, hop.Event{Kind: hop.Announced, Session: 1, Track: 1})
	for i := range 16 {
		at := 100 + 60*i
		if deadline, ok := m.Deadline(); ok && deadline < time.Duration(at)*time.Millisecond {
			step(int(deadline.Milliseconds()), hop.Event{})
		}
		group(at, 1, uint64(3*i))
		if at == 340 {
			step(350, hop.Event{Kind: hop.Dialled, Session: 2, Ticks: true})
			step(355, hop.Event{Kind: hop.Announced, Session: 2, Track: 1})
		}
	}
	step(1090, hop.Event{}) // overdue
	group(1130, 2, 48)      // out of the ring
	for i := range 3 {
		group(1140+60*i, 2, uint64(51+3*i))
	}
	// Output:
	// 0 dial 1 paris
	// 40 subscribe 1 track 0 from 0
	// 45 subscribe 1 track 1 from 0
	// 290 dial 2 milan
	// 1090 subscribe 2 track 1 from 48
	// 1260 subscribe 2 track 0 from 0
	// 1260 close 1 silence
	// 1260 hopped paris milan silence 40ms
}
