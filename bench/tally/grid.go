package tally

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// A Grid has a row for each listener and a column for each group of the time
// that is measured. A cell holds how long the group took, or nothing.
//
// Record may be called by as many goroutines as there are listeners, each for a
// listener of its own. What reads the cells must wait until they are done.
type Grid struct {
	// Set by New, constant afterwards.
	groups int

	// Set by Begin and End.
	first atomic.Uint64 // sequence of the first column plus one; zero: not begun
	used  int           // columns whose groups were sent

	// Each row is written by one goroutine. A cell is the delay in µs plus one.
	rows [][]uint32

	// Counted by everyone.
	delivered, duplicates atomic.Uint64
}

// New makes a grid for so many listeners and groups. It takes 4 bytes a cell.
func New(listeners, groups int) *Grid {
	g := &Grid{groups: groups, rows: make([][]uint32, listeners)}
	cells := make([]uint32, listeners*groups)
	for i := range g.rows {
		g.rows[i], cells = cells[:groups:groups], cells[groups:]
	}
	return g
}

// Begin says that measuring starts with the group first. What comes before it is
// not counted.
func (g *Grid) Begin(first uint64) { g.first.Store(first + 1) }

// End says that next is the first group that was not sent. Until then no group
// counts as sent.
func (g *Grid) End(next uint64) {
	begun := g.first.Load()
	if begun == 0 || next < begun {
		g.used = 0
		return
	}
	g.used = int(min(next-(begun-1), uint64(g.groups)))
}

// Column is where a group stands in the grid, if it does.
func (g *Grid) Column(sequence uint64) (column int, ok bool) {
	begun := g.first.Load()
	if begun == 0 || sequence < begun-1 || sequence-(begun-1) >= uint64(g.groups) {
		return 0, false
	}
	return int(sequence - (begun - 1)), true
}

// Record notes that a group has reached a listener and reports whether it is a
// first copy of one that counts.
func (g *Grid) Record(listener int, sequence uint64, delay time.Duration) bool {
	column, ok := g.Column(sequence)
	if !ok {
		return false
	}
	cell := &g.rows[listener][column]
	if *cell != 0 {
		g.duplicates.Add(1)
		return false
	}
	*cell = uint32(min(max(delay.Microseconds(), 0), math.MaxUint32-1)) + 1
	g.delivered.Add(1)
	return true
}

// Delivered is how many cells are filled. It may be asked at any time.
func (g *Grid) Delivered() uint64 { return g.delivered.Load() }

// Duplicates is how many further copies came.
func (g *Grid) Duplicates() uint64 { return g.duplicates.Load() }

// Listeners is the number of rows.
func (g *Grid) Listeners() int { return len(g.rows) }

// Groups is how many groups were sent, after End.
func (g *Grid) Groups() int { return g.used }

// Delay is how long a group took to a listener.
func (g *Grid) Delay(listener, column int) (time.Duration, bool) {
	cell := g.rows[listener][column]
	return time.Duration(max(cell, 1)-1) * time.Microsecond, cell != 0
}

// Expected is how many cells the columns from to to (not included) have.
func (g *Grid) Expected(from, to int) int {
	return len(g.rows) * max(0, min(to, g.used)-max(from, 0))
}

// Filled is how many of them are filled.
func (g *Grid) Filled(from, to int) int {
	from, to = max(from, 0), min(to, g.used)
	filled := 0
	for _, row := range g.rows {
		for i := from; i < to; i++ {
			if row[i] != 0 {
				filled++
			}
		}
	}
	return filled
}

// Delays returns every delay in the columns from to to (not included), in µs and
// in ascending order.
func (g *Grid) Delays(from, to int) []int64 {
	from, to = max(from, 0), min(to, g.used)
	if from >= to {
		return nil
	}
	out := make([]int64, 0, len(g.rows)*(to-from))
	for _, row := range g.rows {
		for _, cell := range row[from:to] {
			if cell != 0 {
				out = append(out, int64(cell-1))
			}
		}
	}
	slices.Sort(out)
	return out
}
