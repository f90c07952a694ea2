package main

import (
	"bytes"
	"os"
	"testing"
)

func TestDocumentIsUpToDate(t *testing.T) {
	want, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/EVENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/EVENTS.md is not what the kinds say now: go generate ./events")
	}
}

func TestCodesAreUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := withCodes(string(got))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("the codes in docs/SECURITY.md are not what events.Codes says now: go generate ./events")
	}
}
