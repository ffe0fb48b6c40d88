package hop

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

const (
	randomFile    = "testdata/random.json"
	historyLength = 50 * time.Second
)

// The histories in the file, chosen from the first 1200: each of forty small changes
// to the machine, of a constant or a condition, showed in one of these.
var seeds = []uint64{9, 36, 38, 40, 49, 119, 135, 144, 170, 177, 209, 237, 243, 1152}

// The histories of testdata/random.json have the effects that they had. It is in
// the form of the table of cases, but nobody thought of what is in it: it is there
// for other implementations to show the differences that no case names. -update
// makes it anew.
func TestRandom(t *testing.T) {
	if *update {
		b := randomHistories(t, readCases(t).Relays).bytes(t)
		if err := os.WriteFile(randomFile, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(randomFile)
	if err != nil {
		t.Fatal(err)
	}
	var file caseFile
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got, want := lines(t, c.run(t, &file)), lines(t, c.Effects)
			if !slices.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", join(got), join(want))
			}
		})
	}
	if !*update && !bytes.Equal(b, file.bytes(t)) {
		t.Error("the file is not as -update would write it")
	}
}

func randomHistories(t *testing.T, relays map[string]Candidate) *caseFile {
	file := &caseFile{Relays: relays}
	for _, seed := range seeds {
		m := newMess(t, seed, relays)
		m.run(historyLength)
		m.c.Events = inRuns(m.c.Events)
		m.c.Effects = m.c.run(t, file)
		file.Cases = append(file.Cases, m.c)
	}
	return file
}

// inRuns makes single lines of the groups and ticks that came at even intervals,
// with what was lost or late. Only the order at one time is lost by that.
func inRuns(events []caseEvent) []caseEvent {
	type of struct {
		do string
		s  Session
		t  Track
	}
	runs := map[of]int{} // the last one
	var out []caseEvent
	for _, e := range events {
		key := of{e.Do, e.Session, e.Track}
		i, ok := runs[key]
		if ok && out[i].extend(e) {
			continue
		}
		if e.Do == "arrived" || e.Do == "ticked" {
			e.Every = ms(time.Duration(e.Frames) * Frame)
			if e.Do == "ticked" {
				e.Every = ms(tick)
			}
			e.Count, runs[key] = 1, len(out)
		}
		out = append(out, e)
	}
	return out
}

// extend takes an event into a run, if it fits.
func (c *caseEvent) extend(e caseEvent) bool {
	i := int(math.Round((e.At - c.At) / c.Every))
	if e.Do == "arrived" {
		i = (int(e.Sequence) - int(c.Sequence)) / e.Frames
	}
	late := e.At - c.At - float64(i)*c.Every
	if i < c.Count || i > c.Count+5 || math.Abs(late) > 300 {
		return false
	}
	for ; c.Count < i; c.Count++ {
		c.Lost = append(c.Lost, c.Count)
	}
	if c.Count++; late != 0 {
		c.Late = append(c.Late, [2]float64{float64(i), late})
	}
	return true
}
