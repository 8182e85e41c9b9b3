"""What the simulator knows: a table of subjects, each an article with places to fill and questions about it.

Rule: every name, date and number is made up. ``names`` are the words that a question must not say; ``look`` is the
colour of the subject's example picture in a 4 x 4 grid, by which a picture finds its subject. An answer stands in the
article word for word; one with commas lists answers that each do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that a picture may show, and what there is to know about it."""

    names: tuple[str, ...]
    look: bytes
    years: tuple[int, int]
    article: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


PLACES = (
    "Ellery",
    "Marrow Sound",
    "Tarnholm",
    "Quillan",
    "Ostergate",
    "Penvale",
    "Sorrel Bay",
    "Hallimere",
    "Vinterby",
)
REGIONS = ("Corrania", "North Asterland", "Immerdale", "Lower Brennia", "the Saltmark")
PEOPLE = (
    "Agnes Thornbury",
    "Piet Havelaar",
    "Ingrid Solveng",
    "Tobias Merriweather",
    "Lucia Ferrand",
    "Osei Bartram",
    "Hana Kuroki",
    "Edmund Sallow",
    "Mirela Doukas",
    "Rafael Quintane",
)
SOCIETIES = ("the Meridian Trust", "the Harrow Society", "the Guild of St Orrin", "the Linden Foundation")
SEASONS = ("early spring", "late summer", "mid-autumn", "the first week of winter")

SUBJECTS: tuple[Subject, ...] = (
    Subject(
        names=("lighthouse", "beacon"),
        look=bytes.fromhex(
            "3839543e3e555e575d95866f6d5857866c699375726d585799735ba97561ac746299735b2338533a3b433b3a402f3b4d"
        ),
        years=(1850, 1895),
        article=(
            "{place} Light is a navigational aid on the shore of {region}, first lit in {year}. It was designed by the "
            "engineer {person} after the wreck of the brig Constance, in which {count} sailors drowned on the reef. "
            "Its walls were raised from granite, brought by barge over {span} winters, since no road reached the "
            "headland until {later}.",
            "The first lamps burned rapeseed oil; paraffin replaced it in {later}, and electricity came in {last}. "
            "The light flashes twice every {small} seconds, a rhythm that gave the station its nickname, Old Patience. "
            "The last resident keeper, {second}, left in {last}, when the station was automated. It is now looked "
            "after by {society}, which opens it to visitors in {season}.",
        ),
        pairs=(
            ("Who designed the tower in this image?", "{person}"),
            ("In which year did the structure shown here first go into service?", "{year}"),
            ("What stone were the walls of this building raised from?", "granite"),
            ("Which fuels fed the lamp of this tower before electricity came?", "rapeseed oil, paraffin"),
            ("What nickname did the rhythm of this station earn it?", "Old Patience"),
            ("Which wreck led to the building of the tower in this picture?", "Constance"),
            ("Who looks after the building in this image today?", "{society}"),
        ),
    ),
    Subject(
        names=("bridge",),
        look=bytes.fromhex(
            "a8d3eea7cfe9a7cfe9a8d3eeb6d2e3b5c8d7b5c8d8b7d3e57f8f6f8991787c866388977e317573347573347573317573"
        ),
        years=(1870, 1935),
        article=(
            "The {place} Crossing carries the coast road of {region} over the strait of the same name. {person} won "
            "the competition for it in {year}, against {small} other entries; work began two years later and took the "
            "lives of {span} riveters. When it was opened in {later}, its main span of {count} metres was the longest "
            "on the continent.",
            "Each main cable holds 9,400 wires of galvanised steel, which were spun in place by shuttles. Its paint, a "
            "shade called Harbour Vermilion, was chosen by the consulting architect {second}, because it stands out "
            "in fog. A storm in {last} made the deck sway by more than a metre, after which stiffening trusses were "
            "added. Tolls were abolished when {society} repaid the last of the bonds.",
        ),
        pairs=(
            ("Who won the competition for the structure in this image?", "{person}"),
            ("When was the structure shown here opened?", "{later}"),
            ("What is the paint shade of the structure in this picture called?", "Harbour Vermilion"),
            ("What was added to this structure after a storm?", "stiffening trusses"),
            ("What are the wires that hold up this crossing made of?", "galvanised steel"),
            ("Why was the colour seen in this image chosen?", "it stands out in fog"),
        ),
    ),
    Subject(
        names=("bicycle", "bike"),
        look=bytes.fromhex(
            "d38957d38957d38957d38957ce8453b57954b0795ace8453c17c4fa2755fb17b5cc17c4f928a859088838f8783928a85"
        ),
        years=(1885, 1925),
        article=(
            "The {place} Roadster was a human-powered machine built in {region} from {year} on. Its maker, {person}, "
            "had repaired sewing machines before, and took over from them the habit of numbering every screw. The "
            "frame was brazed from seamless tubes in the shape of a diamond, which proved so stiff that makers "
            "elsewhere copied it within {small} years.",
            "Pneumatic tyres, an idea of a veterinary surgeon, replaced solid rubber in {later}. In the same year "
            "{second} rode a Roadster {count} kilometres from {place} to the capital, and the factory sold more "
            "machines in one month than in the {span} years before. Historians credit it with two things above all: "
            "women's mobility, for which campaigners praised it, besides the demand for paved roads. Production ended "
            "in {last}; {society} keeps the last one made.",
        ),
        pairs=(
            ("Who first built the kind of machine in this image?", "{person}"),
            ("What had the maker of this vehicle repaired before?", "sewing machines"),
            ("What shape is the frame of the vehicle shown here?", "diamond"),
            ("What replaced solid rubber on vehicles like this one?", "Pneumatic tyres"),
            ("What do historians credit the machine in this picture with?", "women's mobility, paved roads"),
            ("In which year did production of this vehicle end?", "{last}"),
        ),
    ),
    Subject(
        names=("teapot", "tea pot", "pot"),
        look=bytes.fromhex(
            "302b3b312c3c312c3b302b3b4f49557d787f817c82413a49514852d5d5d1d4d4d15d545c59361e71594671594659361e"
        ),
        years=(1710, 1820),
        article=(
            "{place} ware is a white porcelain that was fired in {region} from {year}. Its secret lay in the clay, a "
            "mixture of kaolin with bone ash that the alchemist {person} arrived at after {count} failed firings. The "
            "cobalt for its blue bands came from a single mine, and painters were paid by the dot.",
            "Vessels for brewing were the most prized pieces of a service, since a spout that did not drip took an "
            "apprentice {small} years to learn. Merchants carried them along the Amber Road, packed in wet barley, "
            "which sprouted on the way and held them fast. After a fire in {later} the works moved inland. "
            "{second} revived the blue pattern, called Nine Moons, in {last}; {society} holds {span} early pieces.",
        ),
        pairs=(
            ("What material is the object in this image made of?", "porcelain"),
            ("Which ingredients were mixed for the body of this vessel?", "kaolin, bone ash"),
            ("Where did the blue of the pattern on this object come from?", "cobalt"),
            ("What is the pattern on the vessel shown here called?", "Nine Moons"),
            ("How were vessels like this one packed for the journey?", "wet barley"),
            ("Along which route did merchants carry objects like the one in this picture?", "Amber Road"),
            ("Who revived the decoration seen in this image?", "{second}"),
        ),
    ),
    Subject(
        names=("mountain", "peak", "lake"),
        look=bytes.fromhex(
            "5f9ad5689fd7689fd75f9ad57ca8d57791b07489a47c9fc45e7a935873875570825e78904477a84d769f4e759c4776a4"
        ),
        years=(1780, 1900),
        article=(
            "{place} Horn is the highest summit of {region}, at 3,{count} metres. It consists of gneiss, thrust over "
            "younger limestone some forty million years ago, and its shape was cut by {small} glaciers that gnawed at "
            "it from all sides. The water at its foot fills a basin left by the largest of them, and owes its colour "
            "to rock flour.",
            "The first ascent was made in {year} by {person}, a schoolteacher, with the guide {second}; both had set "
            "out to measure the boiling point of water. Their barometer is kept by {society}. A refuge was built on "
            "the north ridge in {later}. Since {last} the area has been a national park, known for its ibex, which "
            "had been extinct there for {span} years. The shores are busiest in {season}.",
        ),
        pairs=(
            ("What rock does the summit in this image consist of?", "gneiss"),
            ("Who made the first ascent of the landform shown here?", "{person}, {second}"),
            ("What gives the water in this picture its colour?", "rock flour"),
            ("What carved the shape of the landform in this image?", "glaciers"),
            ("Which animal returned to the landscape shown here?", "ibex"),
            ("Since when has the area in this image been protected as a national park?", "{last}"),
        ),
    ),
    Subject(
        names=("tram", "streetcar", "trolley"),
        look=bytes.fromhex(
            "c2c2c5b5b5b5c6c8cccaccd19d927998894f94844b968b70ac9e7bb9a04cb29b4ba799727f78668f793a8e793a7f765f"
        ),
        years=(1888, 1915),
        article=(
            "Line {small} of the {place} city railway, opened in {year}, climbs from the harbour of the town to its "
            "observatory. The cars were ordered by the mayor {person}, who had seen electric traction at a trade "
            "fair; horses had done the work before, {count} of them. Their colour, known as Mustard Seven, was what "
            "the paint works had left over.",
            "The steepest section rises by 13.5 per cent, which no other line of its kind in {region} does without a "
            "rack. Current of 600 volts comes from an overhead wire. In {later} the council voted to replace the line "
            "by buses, but a petition drawn up by the baker {second} collected so many names that the vote was undone. "
            "The oldest cars, restored by {society}, have run every Sunday since {last}.",
        ),
        pairs=(
            ("Who ordered the vehicles of the kind in this image?", "{person}"),
            ("What is the colour of the vehicle shown here known as?", "Mustard Seven"),
            ("Which places does the line of this vehicle connect?", "harbour, observatory"),
            ("What did the work before vehicles like this one came?", "horses"),
            ("Whose petition saved the line of the vehicle in this picture?", "{second}"),
            ("How steep is the steepest section that this vehicle climbs?", "13.5 per cent"),
        ),
    ),
    Subject(
        names=("windmill", "mill"),
        look=bytes.fromhex(
            "d2eaf7cce7f6cfe5f0d2ebf9d3ecfabfc5c6c5c6c3d5ecf9d2e8e1b2ad9bb2b0a0d2e8e1819135819235829135819135"
        ),
        years=(1640, 1780),
        article=(
            "De {place} is a smock-built landmark in {region}, raised in {year} for the drainage of the polder behind "
            "it. The carpenter {person} gave it a cap that turns, so that it could face the wind from any side. In "
            "{later} the scoop wheel was taken out, after which it ground mustard seed, later pigments for the "
            "painters of the town.",
            "In a fresh breeze it makes {small} turns a minute. The position in which it stands still carried "
            "messages: stopped just before the highest point it announced a birth, just after it a death. "
            "A great storm in {last} broke two of its arms, which {second} replaced by ones of riveted steel. "
            "Today {society} lets it turn on the second Saturday of each month, in {season} among {count} hectares of "
            "bulb fields.",
        ),
        pairs=(
            ("What was the structure in this image first raised for?", "drainage"),
            ("What did the building shown here grind after its conversion?", "mustard seed, pigments"),
            ("Who built the structure in this picture?", "{person}"),
            ("Which part lets this building face the wind from any side?", "a cap that turns"),
            ("Which messages did the arms of this structure announce?", "a birth, a death"),
            ("Which material replaced the broken arms of this building?", "riveted steel"),
        ),
    ),
    Subject(
        names=("pawn", "chess piece"),
        look=bytes.fromhex(
            "163920234228234127163920183f246e7b576d7852183f245a6042908e6b89845d666e4f9b7f60c5ad85977a57b09675"
        ),
        years=(1820, 1900),
        article=(
            "The {place} pattern is a design for the men of a board game of Indian origin, registered in {year} by the "
            "turner {person}. Its figures were cut from boxwood, while ebony served for the other side; each was "
            "weighted with lead, so that it would not fall in a railway carriage. The smallest men, {span} to a "
            "workbench, were given to apprentices.",
            "The smallest man descends from the foot soldier of the Sanskrit game chaturanga. It is the only one that "
            "never retreats, and, when it reaches the far edge, may be promoted, which is why the philosopher "
            "{second} called it the soul of the game in {later}. At the congress of {last}, held in {region}, a game "
            "of {count} moves was decided by a single one. The first set made is kept by {society}.",
        ),
        pairs=(
            ("Which woods were used for the two sides of the set this object belongs to?", "boxwood, ebony"),
            ("What does the figure in this image descend from?", "foot soldier"),
            ("From which older game does the figure shown here come?", "chaturanga"),
            ("What may happen to the object in this picture at the far edge?", "promoted"),
            ("What was put into figures like this one so that they would not fall?", "lead"),
            ("Who registered the design of the object in this image?", "{person}"),
            ("What did a philosopher call the figure shown here?", "the soul of the game"),
        ),
    ),
)
