package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"
)

// openness is the value of --open, which may stand alone: that is everything.
type openness struct{ all, listen bool }

// Set implements [cli.Generic].
func (o *openness) Set(text string) error {
	if text == "listen" {
		*o = openness{listen: true}
		return nil
	}
	all, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("want --open alone or --open=listen")
	}
	*o = openness{all: all}
	return nil
}

// String implements [cli.Generic].
func (o *openness) String() string {
	switch {
	case o.listen:
		return "listen"
	case o.all:
		return "true"
	}
	return ""
}

// IsBoolFlag has package flag take --open without a value.
func (o *openness) IsBoolFlag() bool { return true }

// aloneFlag is a flag whose value, if it has one, stands behind "=".
type aloneFlag struct{ *cli.GenericFlag }

// TakesValue implements [cli.DocGenerationFlag].
func (aloneFlag) TakesValue() bool { return false }

func openFlag() cli.Flag {
	return aloneFlag{&cli.GenericFlag{
		Name: "open", Value: &openness{}, EnvVars: env("open"),
		Usage: "without tokens: everybody on this machine may do everything; --open=listen: everybody anywhere may listen",
	}}
}
