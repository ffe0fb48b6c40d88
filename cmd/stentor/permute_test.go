package main

import (
	"strings"
	"testing"
)

func TestPermute(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"stentor", "stentor"},
		{"stentor tree town", "stentor tree town"},
		{"stentor tree town --json", "stentor tree --json town"},
		{"stentor tree town --admin http://h:1 --dot", "stentor tree --admin http://h:1 --dot town"},
		{"stentor tree --admin=http://h:1 town", "stentor tree --admin=http://h:1 town"},
		{"stentor speak voice.opus --room r --name n --loop", "stentor speak --room r --name n --loop voice.opus"},
		{"stentor speak - --room r", "stentor speak --room r -"},
		{"stentor speak --room r -- --odd.wav", "stentor speak --room r -- --odd.wav"},
		{"stentor drain 10.0.0.7:9090 --deadline 2m", "stentor drain --deadline 2m 10.0.0.7:9090"},
		{"stentor bench fanout --listeners 5", "stentor bench fanout --listeners 5"},
		{"stentor token verify abc --json", "stentor token verify --json abc"},
		{"stentor tree town --nonsense x", "stentor tree --nonsense town x"},
		{"stentor --help", "stentor --help"},
		{"stentor tree town --admin", "stentor tree --admin town"},
	} {
		if got := strings.Join(permute(app(), strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}
