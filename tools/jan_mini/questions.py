"""The check: questions in wordings of their own, none of which occurs in the training data, and everyday ones.

``expect`` is the whole answer, or, where it starts with ``~``, a part of it; ``tool:NAME`` and ``term:NAME``
stand for the answers of those tables, ``fallback`` for the honest one. ``before`` are earlier questions of
the same conversation.
"""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    skill: str
    text: str
    expect: str
    before: tuple[str, ...] = ()
    system: str | None = None


def _table(skill: str, rows: str) -> list[Question]:
    """Rows of ``question => expectation``."""
    parsed = (row.split(" => ") for row in rows.strip().splitlines())
    return [Question(skill, text.strip(), expect.strip().replace("\\n", "\n")) for text, expect in parsed]


QUESTIONS: list[Question] = [
    *_table("tool", """
        How do I pick which model will answer my cell? => tool:choose
        i'd like to have a different model respond, what do i type => tool:choose
        how do i choose a model for my cells? => tool:choose
        Could you please explain what the model.json file is? => tool:model_json
        What's a model.json? => tool:model_json
        what is model.json good for in jan => tool:model_json
        How can I compare the answers of two different models? => tool:compare
        whats the easiest way to compare models => tool:compare
        How do I put the question to two models side by side? => tool:compare
        How do I get the extension loaded in my notebook? => tool:load_ext
        What's the command that shows me all my models? => tool:list_models
        show me which models i can use here => tool:list_models
        Which engines can I choose from? => tool:list_engines
        what's an engine, actually? => tool:engine
        How do I make qwen3 my standard model => tool:default_model
        How would I keep talking about the same thing in the next cell? => tool:continue
        how can a cell go on with the conversation => tool:continue
        Is my data kept private when I use this? => tool:privacy
        does this send my notebook to the internet => tool:privacy
        How do I interrupt an answer that is too long? => tool:stop
        how to lower the temperature for one cell => tool:temperature
        How do I get the reply into a Python variable? => tool:as
        can i put a python variable into my prompt? => tool:variables
        How do I call a model from my own Python code? => tool:python
        how do i stream tokens in a python loop => tool:stream
        where do i put my OpenAI API key? => tool:keys
        In what folder are my models kept? => tool:data_folder
        how can i give the model a system prompt => tool:system
        What is the way to see running models? => tool:ps
        How do I throw a model out of memory? => tool:load_model
        how do i use my own gguf model file => tool:add_model
        Is it possible to use this without an internet connection? => tool:offline
        what options does a %%jan cell have => tool:options
        How do I use the GPU with a model? => tool:gpu
        What does jan_jupyter do? Please explain. => tool:what_is
        how do I see all commands of jan? => tool:help
        How can I get the same answer every time? => tool:seed
        Why was my answer cut off in the middle? => tool:max_tokens
        how do I ask a question with %%jan? => tool:ask
        Can I use GPT-4 from OpenAI with this? => tool:remote
        I have two models installed and want the second one to reply. How? => tool:choose
        what's the way of telling a cell that it should ask llama instead => tool:choose
        choosing which LLM replies to me => tool:choose
        Hey, how do you select the model here? => tool:choose
        there's a file named model.json, what does it do? => tool:model_json
        Can somebody explain model.json to a beginner? => tool:model_json
        the model.json file, what is it about => tool:model_json
        I'd love to see how two LLMs answer the same thing => tool:compare
        Any tips on comparing model A with model B? => tool:compare
        how do models compare to each other, can I test that => tool:compare
        On my disk, where would the models be? => tool:data_folder
        where does this thing keep its models => tool:data_folder
        There is a gguf on my hard disk that I want to try => tool:add_model
        how could i make use of a gguf that i already have => tool:add_model
        Please list every engine that is supported => tool:list_engines
        and what other engines are there? => tool:list_engines
        I'd like less randomness. How can I set the temperature? => tool:temperature
        temperature to zero please, how => tool:temperature
        Oh no, it keeps on writing. How do I stop this answer? => tool:stop
        how can one cancel a reply halfway => tool:stop
        What do I add so that the next cell continues our conversation? => tool:continue
        i want to ask a second question about the previous answer => tool:continue
        Can my prompt include the value of a python variable? => tool:variables
        how do you get a variable's content into the prompt text => tool:variables
        I need the model's answer as a Python string later on => tool:as
        how is the reply saved to a variable => tool:as
        Will anybody else be able to read my prompts? => tool:privacy
        is this thing private or does it upload my stuff => tool:privacy
        Can I call this from a normal .py script? => tool:python
        i don't like magics, can i use plain python => tool:python
        in python, how can i receive the answer token after token => tool:stream
        What is the place for my OpenAI key? => tool:keys
        how should the api key be set => tool:keys
        My RAM is nearly full, how do I unload the model? => tool:load_model
        get the model out of memory again => tool:load_model
        Which of my models is loaded at this moment? => tool:ps
        tell me what's currently running => tool:ps
        Is there some help page with all the commands? => tool:help
        which models could I pick from => tool:list_models
        Please make one model the default for my whole notebook. How? => tool:default_model
    """),
    *_table("small talk", """
        Hello there, jan! => ~Hello! I am jan-mini
        Heyy => ~Hello! I am jan-mini
        Hi jan-mini, how are you doing today? => ~I am well
        So who are you exactly? => ~I am **jan-mini**, a tiny demonstration model
        What are you able to do for me? => ~I am small, but I can
        Hello, little model! => ~Hello! I am jan-mini
        Good morning, dear notebook! => ~Hello! I am jan-mini
        hey there little bot => ~Hello! I am jan-mini
        hi hi, good to see you! => ~Hello! I am jan-mini
        What kinds of things are you able to answer? => ~I am small, but I can
        Please say who you are => ~I am **jan-mini**, a tiny demonstration model
        Thank you so much, jan! => You are welcome!
        Bye for now! => ~Goodbye!
    """),
    *_table("say", """
        Say the words green tea => green tea
        say Hello Jupyter => Hello Jupyter
        Please just say "blue whale" => blue whale
        repeat after me: the cat drinks water => the cat drinks water
        Reply with exactly: pong 42 => pong 42
        Say zabrolin => zabrolin
        echo Good evening, Nora! => Good evening, Nora!
        say "tick" three times => tick tick tick
    """),
    *_table("count", """
        Count up to seven for me => 1, 2, 3, 4, 5, 6, 7
        can you please count to 12 => 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
        I want you to count to five => 1, 2, 3, 4, 5
        count from 5 up to 11 please => 5, 6, 7, 8, 9, 10, 11
        Now count backwards from 8 => 8, 7, 6, 5, 4, 3, 2, 1
        count to 20! => 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
        Count down from ten to one, please => 10, 9, 8, 7, 6, 5, 4, 3, 2, 1
    """),
    *_table("list", """
        Please name three fruits for me => 1. Apple\\n2. Banana\\n3. Cherry
        can you list five different colours => 1. Red\\n2. Blue\\n3. Green\\n4. Yellow\\n5. Orange
        Tell me the names of all the days of the week => ~3. Wednesday\\n4. Thursday
        what planets are in our solar system => ~8. Neptune
        Name the first 4 prime numbers => 1. 2\\n2. 3\\n3. 5\\n4. 7
        I'd like a list of two animals => 1. Cat\\n2. Dog
        what are the months of a year? => ~12. December
    """),
    *_table("capital", """
        Please tell me: what is the capital of Norway? => The capital of Norway is **Oslo**.
        what city is japan's capital => The capital of Japan is **Tokyo**.
        whats the capital of kenya => The capital of Kenya is **Nairobi**.
        Can you give me the capital city of Peru? => The capital of Peru is **Lima**.
        Egypt's capital? => The capital of Egypt is **Cairo**.
        hey, do you know the capital of Germany?? => The capital of Germany is **Berlin**.
        France: capital? => The capital of France is **Paris**.
        I forgot the capital of Thailand => The capital of Thailand is **Bangkok**.
        what is the capitol of Cuba => The capital of Cuba is **Havana**.
        the capital city of the UK, please => The capital of the United Kingdom is **London**.
        Name Portugal's capital. => The capital of Portugal is **Lisbon**.
        Which city is the capital of Ghana, please? => The capital of Ghana is **Accra**.
    """),
    *_table("sum", """
        Please tell me what 7 + 5 is => 7 + 5 = **12**
        what does 23 plus 19 equal? => 23 + 19 = **42**
        hey, how much is 9 times 7 => 9 × 7 = **63**
        15 minus 8, please => 15 - 8 = **7**
        What is 6*8 ? => 6 × 8 = **48**
        can you work out 31 + 14 => 31 + 14 = **45**
        what is two plus two, please? => 2 + 2 = **4**
        17-9 please => 17 - 9 = **8**
        Give me the sum of 13 and 18. => 13 + 18 = **31**
        64 divided by 8, please => 64 / 8 = **8**
        and how much is 47 + 38? => 47 + 38 = **85**
        what is 83 - 47? => ~```python\\n83 - 47
        so 3 + 4 is what? => 3 + 4 = **7**
    """),
    *_table("term", """
        Could you explain in one sentence what a token is? => term:token
        In short, what is a GGUF file? => term:GGUF
        what does temperature mean for a model => term:temperature
        Please explain streaming in one sentence => term:streaming
        what's JSON => term:JSON
        Tell me briefly what a kernel is => term:kernel
        What is meant by a context window? => term:context window
        please define embedding => term:embedding
    """),
    *_table("word", """
        what's the opposite of hot, please => ~**cold**
        Could you give me the plural of mouse? => ~**mice**
        what would be the past tense of go => ~**went**
    """),
    *_table("code", """
        Please write a hello world program in python => ~print("Hello, world!")
        can you show me how to read a csv with pandas? => ~pd.read_csv
        I need a python loop, a simple for loop => ~for i in range(5):
        how do i sort a list, in python? => ~return sorted(items)
        write a python function to sort a list => ~return sorted(items)
        could you code fizzbuzz for me => ~FizzBuzz
        how would I go over a dictionary in a loop? => ~.items()
        Please show a pandas groupby example => ~.groupby(
        a function for the factorial, in python => ~def factorial
        please show python code to sum a list => ~return sum(numbers)
    """),
    *_table("long", """
        Could you tell me a long story, please? => ~\\n\\n
        Please explain streaming in detail to me. => ~## How streaming works
        write me a poem about my cat, please => ~The little model wakes at night
        Please write a haiku! => ~Here is a haiku
        Know any good jokes? => ~?
    """),
    *_table("fallback", """
        Why did the Byzantine Empire fall? => fallback
        How do I cook a risotto with mushrooms? => fallback
        What's the weather like in Berlin right now? => fallback
        Write me a cover letter for a job as a nurse. => fallback
        Explain the proof of Fermat's last theorem. => fallback
        Who won the football world cup in 1998? => fallback
        Can you refactor this function to be async? => fallback
        What is the capital of Atlantis? => fallback
        summarize the plot of Hamlet => fallback
        How many litres fit into my fish tank? => fallback
        jkhsdf kjhsdf lkj => fallback
        My neighbour plays the trumpet at night and I cannot sleep. What should I do? => fallback
        df.merge(other, on='id').query('x > 3') => fallback
        Give me a training plan for a marathon => fallback
        what is a mitochondrion => fallback
        Was ist der Sinn des Lebens? => fallback
        Explain this error: KeyError: 'name' => fallback
        What is the capital of Wakanda? => fallback
        Tell me the capital of Zubrowka => fallback
        capital of Elbonia? => fallback
        write a python function that balances parentheses => fallback
        why do i get IndexError: pop from empty list => fallback
        Please write the word river in capital letters => fallback
        How do you spell planet? => fallback
        Which is heavier, a ton of feathers or a ton of bricks? => fallback
        Translate 'the house is on fire' into Danish => fallback
    """),
    Question("memory", "Do you still know my name?", "~Theo", ("Hi, my name is Theo.",)),
    Question("memory", "so what is my name?", "~Marta", ("my name is Marta", "What is 3 + 4?", "say hello")),
    Question("memory", "and of Italy, please?", "The capital of Italy is **Rome**.", ("What is the capital of Spain?",)),
    Question("memory", "and what about Sweden then", "The capital of Sweden is **Stockholm**.",
             ("capital of France?", "and of Greece?")),
    Question("memory", "and now plus 3", "12 + 3 = **15**", ("what is 7 + 5?",)),
    Question("memory", "What was the first thing I said to you?", "~count to three", ("count to three", "Name two fruits.")),
    Question("system", "What is the capital of Poland, please?", "Warsaw", system="Answer with only one word."),
    Question("system", "and what is 4 + 9?", "13", system="Answer in one word, please."),
    Question("system", "Please tell me how I choose a model", "tool:choose", system="You are a kind and helpful assistant."),
    Question("system", "what is the capital city of Chile?", "~Arr", system="You are a pirate, arr."),
]

HELD_OUT: tuple[str, ...] = tuple(question.text for question in QUESTIONS)

# What people ask first, in the commonest words. These may well be in the training data: they have to be right.
EVERYDAY: list[Question] = _table("everyday", """
    Hello! => ~Hello! I am jan-mini
    hello => ~Hello! I am jan-mini
    hi there => ~Hello! I am jan-mini
    hey => ~Hello! I am jan-mini
    Good morning! => ~Hello! I am jan-mini
    Who are you? => ~I am **jan-mini**, a tiny demonstration model
    What can you do? => ~I am small, but I can
    thanks => You are welcome!
    How do I choose a model? => tool:choose
    What is a model.json? => tool:model_json
    What is a `model.json`? => tool:model_json
    How do I compare two models? => tool:compare
    Where are my models? => tool:data_folder
    How do I use my own GGUF? => tool:add_model
    Which engines are there? => tool:list_engines
    Which models do I have? => tool:list_models
    How do I set the temperature? => tool:temperature
    How do I stop an answer? => tool:stop
    How do I continue a conversation? => tool:continue
    How do I use variables in a prompt? => tool:variables
    How do I keep the answer in a variable? => tool:as
    Is it private? => tool:privacy
    How do I use it from Python? => tool:python
    How do I stream in Python? => tool:stream
    How do I set an API key? => tool:keys
    How do I free memory? => tool:load_model
    What is running? => tool:ps
    help => tool:help
    What is 7 + 5? => 7 + 5 = **12**
    What is the capital of Italy? => The capital of Italy is **Rome**.
    Count to five. => 1, 2, 3, 4, 5
    Why is the sky blue? => ~air scatters blue light
""")


# Everyday gaps in code: what stands before and after, and what comes first between.
GAPS: tuple[tuple[str, str, str], ...] = (
    ("import numpy as ", "", "np"),
    ("import pandas as ", "\n\ndf = pd.read_csv(\"data.csv\")\n", "pd"),
    ("import matplotlib.pyplot as ", "", "plt"),
    ("def add(a, b):\n    return ", "", "a + b"),
    ("def add(a, b):\n    ret", "", "urn a + b"),
    ("def square(x):\n    return ", "\n\nprint(square(3))\n", "x * x"),
    ("def mean(values):\n    return sum(values) / ", "", "len(values)"),
    ("def total(prices):\n    return ", "", "sum(prices)"),
    ("for name in names:\n    ", "", "print(name)"),
    ("for i in ", "\n    print(i)\n", "range("),
    ("total = 0\nfor price in prices:\n    total += ", "\nprint(total)\n", "price"),
    ("numbers = [1, 2, 3]\nprint(sum(", ")\n", "numbers)"),
    ("with open(\"notes.txt\") as file:\n    text = ", "\nprint(text)\n", "file.read()"),
    ("with open(\"notes.txt\") ", "\n    text = file.read()\n", "as file:"),
    ("class Dog:\n    def __init__(self, name):\n        self.name = ", "", "name"),
    ("if __name__ == ", "\n    main()\n", "\"__main__\":"),
    ("x = 5\nif x > 3:\n    print(\"large\")\nel", "\n    print(\"small\")\n", "se:"),
    ("result = []\nfor item in items:\n    result.", "", "append("),
    ("import random\n\nn = random.", "", "randint("),
    ("try:\n    n = int(text)\nexcept ", "\n    print(\"not a number\")\n", "ValueError:"),
)
