from tests.e2e.test_bad_input_caller import *
def show(house, call):
    for e in house.events[call]:
        if type(e).__name__ not in ("CadenceMeasured","CallerStoppedSpeaking"): print(str(e)[:170])
test_words_that_could_not_be_transcribed_are_not_silence_and_no_yes0=test_words_that_could_not_be_transcribed_are_not_silence_and_no_yes
for n in list(globals()):
    if n.startswith("test_"): 
        if n!="test_words_that_could_not_be_transcribed_are_not_silence_and_no_yes0": del globals()[n]
@pytest.fixture(autouse=True)
def pr(house):
    yield
    for c in house.events: show(house,c)
