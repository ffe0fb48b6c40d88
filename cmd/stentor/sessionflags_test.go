package main

import (
	"slices"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestRelaysAreDialledAtTheRoom(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"none", nil, []string{"https://127.0.0.1:4443/caf%C3%A9%20%252F/ada"}},
		{"two", []string{"--relay", "https://a.example:1", "--relay", "moqt://b.example/"},
			[]string{"https://a.example:1/caf%C3%A9%20%252F/ada", "moqt://b.example/caf%C3%A9%20%252F/ada"}},
		{"token in the URL", []string{"--relay", "https://a.example/?jwt=x.y.z"}, []string{"https://a.example/caf%C3%A9%20%252F/ada?jwt=x.y.z"}},
		{"says itself where", []string{"--relay", "https://a.example/hall"}, []string{"https://a.example/hall"}},
		{"no URL", []string{"--relay", "a.example:4443"}, []string{"a.example:4443"}},
		{"damaged", []string{"--relay", "https://%zz"}, []string{"https://%zz"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			app := &cli.App{Flags: sessionFlags(), Action: func(c *cli.Context) error {
				got = relays(c, "café %2F", "ada")
				return nil
			}}
			if err := app.RunContext(t.Context(), append([]string{"stentor"}, tt.args...)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
