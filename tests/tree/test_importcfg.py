"""Import configurations, and the paths in them that outlive a move of the tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.tree.importcfg import cache_digest, file_in_stage, parse_importcfg, stage_of

LINK = rb"""# import config
packagefile fmt=/t/go-build1/b053/_pkg_.a
importmap golang.org/x/net=vendor/golang.org/x/net
packagefile example.com/a=/cache/1a/1a91c5389aa53f6dc04630661ef65a9178e2634d1a861071cd0eaa7edbc1c59a-d
modinfo "0w\xafpath\texample.com/cmd/api\nmod\texample.com\t(devel)\t\n"
"""


def test_archives_and_the_programs_path_are_read() -> None:
    config = parse_importcfg(LINK)
    assert list(config.archives) == ["fmt", "example.com/a"]
    assert config.main == "example.com/cmd/api"
    assert config.module == "example.com"


def test_a_stage_is_known_by_what_follows_the_root_of_its_tree() -> None:
    """The root is the first `go-build`: the tree may lie elsewhere by now, and nested trees have names of the same form."""
    assert stage_of("/t/go-build1/b053/_pkg_.a") == "b053"
    assert stage_of("/t/go-build1/__tmp__/go-build22/b1234/_pkg_.a") == "__tmp__/go-build22/b1234"
    assert (
        stage_of("/go-build9/x/go-build1/__tmp__/go-build2/__tmp__/go-build3/b001/_pkg_.a")
        == "__tmp__/go-build2/__tmp__/go-build3/b001"
    )
    assert stage_of("/cache/1a/1a91-d") is None
    assert file_in_stage("/t/go-build1/b066/native.cgo1.go") == "b066/native.cgo1.go"
    assert file_in_stage("/home/me/project/greet.go") is None


def test_the_name_of_a_cache_file_is_a_digest() -> None:
    digest = "1a91c5389aa53f6dc04630661ef65a9178e2634d1a861071cd0eaa7edbc1c59a"
    assert cache_digest(f"/cache/1a/{digest}-d") == digest
    assert cache_digest("/t/go-build1/b053/_pkg_.a") is None


@given(st.binary(max_size=500))
def test_junk_never_raises(data: bytes) -> None:
    parse_importcfg(b"packagefile " + data)
    parse_importcfg(b"modinfo " + data)
