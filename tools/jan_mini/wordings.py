"""How people ask: the patterns of all questions but those about the tool (tool.py) and of small talk (texts.py)."""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

# What newcomers want to do with the tool: a verb and what belongs to it stand for {do}.
DO = (
    "how do I {do}", "how do I {do}", "how do I {do}", "how do I {do}", "how can I {do}", "how can I {do}", "how to {do}", "how to {do}",
    "how (do you|would I|does one|should I|could I|can you|might I|do we|can one|will I|do people) {do}", "how (am I|is one) supposed to {do}", "how would (one|you|somebody) {do}",
    "(what is|what's|is there) (the|a|an|the best|the easiest|the simplest|the right|any|a good|an easy) way to {do}", "which way is (best|easiest) to {do}",
    "what (do|must|should|can|would) I (type|write|do|enter|run|use|put|say|add) (to|in order to|if I want to) {do}", "what (do|should) I do to {do}", "what is (needed|necessary) to {do}",
    "(what|which) (command|magic|option|function|line|syntax) (do I need|is there|lets me|is used|do I use|can I use|should I use|is needed) to {do}", "is there a (command|magic|option|function|button|trick|shortcut) to {do}",
    "(what is|what's) the (command|syntax|magic|option|trick) to {do}", "can I {do}", "can I {do}", "could I {do}", "may I {do}", "am I able to {do}", "is it possible to {do}", "is it possible to {do}[, and how]", "would it be possible to {do}",
    "can (you|one|we|this tool|it|jan) {do}", "where (do|can|would|should) I {do}", "where do I (go|look|click|type) to {do}", "when can I {do}",
    "I (want|need|would like|wish|am trying|have|'d like) to {do}", "I want to {do}[, how|. How|, what do I type|. What do I do]", "I'm trying to {do}", "let me {do}", "I'd love to {do}", "my goal is to {do}", "trying to {do}",
    "(show|tell|teach) me how (to|I can|I|one can) {do}", "show me how to {do}", "(explain|describe) [to me] how (to|I|I can) {do}", "show me an example of how to {do}", "give me (an example|instructions) how to {do}", "help me [to] {do}", "walk me through how to {do}",
    "(can|could|would) you (tell|show|explain to) me how (to|I|I can|one can) {do}", "do you know how (to|I can|I could) {do}", "(can|could) you (explain|say|describe) how (to|I) {do}", "would you mind telling me how to {do}",
    "I (don't know|do not know|wonder|forgot|can't figure out|cannot find out|don't understand|am not sure|was wondering|want to know|need to know|have to know|would like to know|can't remember) how (to|I can|I) {do}", "not sure how to {do}", "any idea how to {do}", "I can't {do}",
    "{do}", "{do}", "{do}", "[the] (command|syntax|way|option|magic) to {do}", "{do}: how", "{do}, how", "{do} - how does that work", "if I want to {do}, what do I (do|type|write)", "suppose I want to {do}", "what if I want to {do}", "when I want to {do}, what do I (do|type)",
)
DO_PLAIN = ("how do I {do}", "how do I {do}", "how do I {do}", "how can I {do}", "how to {do}", "how do you {do}", "can I {do}", "{do}", "show me how to {do}")
# What they ask about: a subject stands for {x}.
ABOUT_TOOL = (
    "{x}", "{x}", "{x}", "{x}?", "tell me [something|more] about {x}", "tell me about {x}", "what about {x}", "[a] question (about|on) {x}", "I have a question (about|on) {x}", "help with {x}", "I need help with {x}", "how about {x}",
    "explain {x}", "[some] (info|information|documentation|docs|help|details) (on|about) {x}", "how does {x} work", "I want to know about {x}", "what (should|must|do) I (need to|have to|) know about {x}", "can you (tell me about|explain) {x}", "{x}, how does that work", "show me {x}",
    "what can you (say|tell me) about {x}", "I don't understand {x}", "where do I read about {x}",
)
# What may follow or precede any question about the tool, and changes nothing.
TOOL_TAIL = (
    " in (my|a|this|the) notebook", " in my notebook", " in (a|my|one) cell", " for my (cells|notebook|work|prompts|project)", " for my cells", " in my cells", " when I use (this|it|jan|this tool|jan_jupyter|%%jan)", " when I use this", " (in|with) (jan|jan_jupyter|Jupyter|jan-jupyter|this extension|this tool|JupyterLab)",
    " with (%%jan|jan|this|the magic)", " here", " (while|when) working in (Jupyter|a notebook)", " if I use this", " in here", " with this thing", " as a beginner", " as a newcomer",
)
TOOL_BEFORE = (
    "hi, quick question: ", "Hi! Quick question: ", "hello, ", "hi, ", "Hey there, ", "I'm new to this: ", "I am new here, ", "newbie question: ", "one question: ", "a question: ", "Beginner here. ", "sorry if this is a stupid question, but ", "Hello! I would like to know: ", "in my notebook, ", "in jan, ", "in jan_jupyter: ",
    "With this tool, ", "when I use this, ", "in a cell, ", "ok so ", "so ", "and ", "next question: ", "one more question: ", "please help: ", "I was wondering, ", "good morning, ", "excuse me, ", "thanks! and ", "please explain: ", "using jan, ", "with jan, ", "for my notebook: ", "now, ", "umm, ", "alright, ", "tell me: ",
)

TERM = (
    "what is {t}", "what is {t}", "what's {t}", "what does {t} mean", "what do you mean by {t}",
    "(explain|define|describe) {t}", "(explain|define|describe) {t} [to me] in one sentence", "what are {t}",
    "(explain|describe) [to me] what {t} is", "tell me what {t} is", "{t}", "what exactly is {t}",
    "definition of {t}", "meaning of {t}", "(explain|describe) {t} (briefly|simply|in simple words|shortly)",
    "I don't know what {t} is", "(in one sentence|briefly), what is {t}", "what is meant by {t}",
    "can you explain {t}", "what is the meaning of {t}",
)

CAPITAL = (
    "what is the capital [city] of {c}", "what is the capital of {c}", "what's the capital [city] of {c}",
    "(which|what) city is the capital of {c}", "[the] capital of {c}", "{c} capital", "name the capital of {c}",
    "(tell|give) me the capital [city] of {c}", "do you know the capital of {c}", "what is {c}'s capital",
    "capital city of {c}", "what do you call the capital of {c}", "which is the capital [city] of {c}",
    "the capital of {c} is [what|which city]", "I need the capital of {c}", "{c}: what is its capital",
)

CAPITAL_AGAIN = (
    "and [of] {c}", "and of {c}", "and {c}", "(what|how) about {c}", "and what about {c}", "of {c}", "{c}",
    "and the capital of {c}", "and for {c}", "and that of {c}", "now {c}", "ok, and {c}", "then {c}",
)

SUM = (
    "{e}", "{e}", "{e}", "{e} =", "{e}=", "{e} = ?", "what is {e}", "what is {e}", "what's {e}", "how much is {e}",
    "(calculate|compute|solve|evaluate) {e}", "what does {e} (make|give|equal)", "what is the result of {e}",
    "{e} is [what]", "(tell|give) me {e}", "how much do {e} make", "can you (calculate|compute|do) {e}", "do you know {e}",
)

SIGNS = {
    "+": ("+", "+", "plus"), "-": ("-", "-", "minus", "less"),
    "*": ("*", "*", "times", "x", "×", "multiplied by"), "/": ("/", "divided by", "÷", "over"),
}

SPOKEN = {
    "+": ("add {a} and {b}", "what is the sum of {a} and {b}", "add {b} to {a}", "sum of {a} and {b}", "add {a} + {b}"),
    "-": ("subtract {b} from {a}", "take {b} (from|away from) {a}", "what is {a} take away {b}",
          "what is the difference between {a} and {b}"),
    "*": ("multiply {a} by {b}", "multiply {a} and {b}", "what is the product of {a} and {b}"),
    "/": ("divide {a} by {b}", "how often does {b} go into {a}"),
}

LIST = (
    "(list|name|give me|tell me|write down|show me|write|I need|suggest) {n} {x}", "(list|name|give me|tell me) {n} {x}",
    "[can you|could you] (name|list) {n} {x}", "a list of {n} {x}", "{n} {x}", "(make|write|give me) a list of {n} {x}",
    "what are {n} {x}", "list {n} {x} for me", "give me [the names of] {n} {x}", "{n} examples of {x}",
)

WHOLE_LIST = (
    "(list|name|tell me|write down|show me|give me) [all] the {x}", "what are the {x}", "the {x}", "(which|what) {x} are there",
    "list [all] {x}", "name [all] {x}", "can you (list|name) the {x}", "do you know the {x}", "what {x} do you know", "all {x}",
)

SAY = (
    "say {x}", "say {x}", "say: {x}", 'say "{x}"', "say '{x}'", "repeat {x}", 'repeat "{x}"', "repeat: {x}", "repeat after me: {x}",
    "repeat after me {x}", "(just|only) say {x}", "echo {x}", 'echo "{x}"', 'write "{x}"', "write {x}", "say (the word|the words|this|only|just|exactly) {x}",
    'say the word "{x}"', "(reply|answer|respond) [only|just] with {x}", '(reply|answer|respond) [only|just] with "{x}"', "(reply|respond|answer) with (exactly|only|the word|one word): {x}",
    "reply with (exactly|only|the word|just) '{x}'", 'print "{x}"', "now say {x}", 'type "{x}"', "(say|repeat|write) the (word|words|text|phrase|sentence) '{x}'", "say `{x}`",
    "output {x}", "(please|can you|could you|would you) say {x}", '(can you|could you) repeat "{x}"', "return the (word|text) {x}", "say back {x}", "Say this: {x}",
)

# {x} is a thing, {do} is something done; FUNCTION is only for what a function does.
CODE = (
    "(write|show me|give me) {x}[ in Python| in python]", "(write|show me|give me) [some|the] [Python] code for {x}", "python: {x}", "{x} in Python", "{x} in python", "I need {x}[ in Python]", "(show|give) me [a] [simple] {x}", "(an example|a snippet|a short program|a script) (of|for|with) {x}", "python code for {x}", "code for {x}",
    "[please] write Python code: {x}", "[a] Python (script|program|snippet) for {x}", "(can|could) you (write|show me|code|program) {x}[ in Python]", "how does {x} look in Python", "how do I write {x}[ in Python]", "write a (program|script) for {x}", "(implement|program|code) {x}[ in Python]", "what is the Python code for {x}",
)
CODE_TO = (
    "(write|show me|give me) [some|the] [Python|python] code (to|that can) {do}", "how (do I|to|can I|would I|do you) {do}[ in Python| with Python| in python]", "how (do I|to|can I) {do} (in|with|using) (Python|python)", "python: {do}", "{do} in (Python|python)", "{do} (with|using) Python", "python code to {do}", "code to {do}", "[please] write Python code: {do}",
    "how does one {do} in Python", "I want to {do} in Python", "show me how to {do}[ in Python]", "[a] Python (script|program|snippet) to {do}", "write a [short|small|Python] (program|script|snippet) to {do}", "(can|could) you (show me how to|write code to) {do}[ in Python]", "what is the (Python code|way) to {do} in Python", "I need [Python] code to {do}",
)
FUNCTION = (
    "write a [Python|python|simple|small|short] function to {do}", "write (me|) a [python|Python] function (to|that can|which can) {do}", "(a|give me a|show me a|I need a|create a|make a|define a) [Python|python] function to {do}", "(can|could) you write a [Python] function to {do}", "please write a function to {do}[ in Python]", "python function to {do}",
)

STORY = (
    "(tell me|write|write me|tell|give me|make up|invent|I want to hear|I'd like|create) (a story|a story|a long story|a short story|a tale|a fairy tale|a bedtime story|a nice story|a longer story|a little story|an adventure)"
)

ESSAY = (
    "(explain|describe|tell me about) {x} (in detail|at length|in depth|thoroughly|in more detail|in several paragraphs|step by step|in full)",
    "(write|give me|compose) (an essay|a long text|a longer text|a long explanation|an article|several paragraphs|a detailed explanation|a report|a long answer|a blog post) (about|on|of) {x}",
    "(give me|write) a (long|detailed|thorough) (explanation|description|introduction) (of|to) {x}", "[explain] {x} in detail", "I want to know everything about {x}", "tell me (more|a lot|everything) about {x}",
)

UNKNOWN = (
    "what is {t}", "what is {t}", "what are {t}", "explain {t}", "explain {t} (in one sentence|in detail|to me|to a child|simply|briefly)", "tell me [something|more] about {t}", "who (is|was) {p}",
    "when (was|did) {p} (born|die|live)", "how do I {v} {g}", "how do I {v} {g}", "how (can|should|would) (I|you|one|we) {v} {g}", "why (is|are|do people like|do we need) {t}", "how does {t} work",
    "what is the {a} {k}[ in the world| in {l}| of all time| for beginners| for me]", "which {k} is the {a}", "which {k} should I (buy|choose|take|use|learn|read|watch)", "(recommend|suggest) a {k}",
    "write (a|an) (essay|article|email|letter|report|speech|blog post|song|tweet) about {t}", "write a function (that|to) {v}(s|) {g} in {c}", "write a [Python|python] function to {v} {g}", "spell [the word] {w}", "how do you spell {w}", "(write|put|say) {w} in (capital letters|uppercase|capitals|lowercase|block letters)", "(uppercase|capitalise|capitalize) {w}", "{w} in capital letters, please", "write (a program|code|a class|a script) in {c} (that|to) {v} {g}",
    "(translate|say) ({w} {w2}|{w} {w2} {w3}|the following text) (to|into|in) {l}", "(summarise|summarize|rewrite|improve|correct|proofread|continue|shorten) (this|this text|the following|my text|the text)[: {s}]",
    "(compare|what is the difference between) {t} and {t2}", "what (do you think|is your opinion) (about|of|on) {t}", "{t}", "{p}", "{g}", "is {t} (good|bad|dangerous|true|important|better than {t2})", "what happened in (19|20){n2}",
    "how (many|much) {k}s (are there|exist) in {l}", "how (old|tall|rich|heavy) is {p}", "how (far|high|deep|big|long|old|fast) is {t}", "where (is|can I find|do I find|can I buy) {t}", "who (invented|discovered|wrote|painted|won) {t}",
    "what is the population of {country}", "what language do they speak in {country}", "who is the president of {country}", "how big is {country}",
    "list {n} {k}s", "(name|give me) {n} (facts about {t}|reasons for {t}|ideas for {t}|synonyms of {w}|words that rhyme with {w}|tips for {t})", "what does {w} mean", "what is a {w}", "what is a {m}", "what is {m}", "define {w}",
    "what is {n} percent of {n3}", "what is the square root of {n3}", "solve x^2 + {n}x = {n3}", "convert {n} (miles|dollars|pounds|inches|degrees) to (km|euros|kg|cm|celsius)", "if (a train|{name}|a car) has {n} {w}s and (loses|gets|buys) {n3}, how many are left",
    "I (feel|am) (sad|tired|lost|angry|hungry|bored|lonely|worried)[ because of {t}]", "my {w} is (broken|gone|too {w2})", "I (went|drove|walked) to the {w} (yesterday|today|last week) and saw a {w2} {w3}", "{name} (likes|sees|has|wants) {t}",
    "should I {v} {g}", "can you {v} {g}", "please {v} {g}", "{v} {g}", "help me [to] {v} {g}", "help me with {t}", "I (want|need|have|would like) to {v} {g}", "what would happen if {t} (disappeared|were free|stopped)", "give me advice (on|about) {t}",
    "pretend [that] you are {p}", "you are {p}, {w} {w2}", "imagine {t}", "who would win, {p} or {p2}", "what is wrong with {g}", "how do I make {t}", "what should I (eat|do|wear|cook|read|say|watch) (today|tonight|tomorrow|now)", "plan {t}", "what is the (price|history|meaning|origin|purpose|future|definition) of {t}",
    "count the (words|letters|vowels) in {w} {w2}", "how many (letters|vowels|r's) are in {w}", "what is the (first|last|third) letter of {w}", "what rhymes with {w}", "what is the {w} of the {w2}", "{w} {w2}", "{w} {w2} {w3}", "the {w} {w2} {w3} {w4}", "{m} {m2}", "{w} {m} {w2} {m2} {w3}",
    "is it (true|right) that {t} (is|are) {w}", "classify (this|the) (text|review|sentence): {s}", "extract the (names|dates|places) from: {s}", "is this (positive|negative|spam): {s}", "what is the sentiment of: {s}", "answer the question: {s}", "{s}", "{s} {s2}", "Q: {s} A:",
    "how do I (train|fine-tune|prune|distill|merge|evaluate|deploy|convert|build) {g} with {t}", "what is the (best|largest|newest) (model|LLM|GPU|engine) for {t}", "why does my {w} not {v}", "what is {t} in {c}", "how do I {v} {g} in {c}", "convert this code to {c}", "explain this (code|error|function|regex|query|formula|plot|table): {s}",
    "what did {p} (say|write|do|mean)", "quote {p}", "write a (review|summary|critique) of {t}", "create a (table|plan|schedule|diagram|quiz|menu|budget) (for|about|of) {t}", "give me a recipe (for|with) {t}", "how was {t} (made|found|invented|discovered)", "brainstorm {t}", "argue (for|against) {t}", "act as {p}",
    "which {k}s do you (know|like)", "tell me the {a} {k}", "when is {t}", "when will {t} (end|happen|begin|come back)", "what colour is (a|the) {w}", "how many {w}s (are|fit) in a {w2}", "do {w}s have {w2}s", "are {w}s {w2}", "can a {w} {v}", "does a {w} {w2}", "is a {w} a {w2}", "why do {w}s {v}",
)

SENTENCES = (
    "The {w} {v}ed the {w2} in {l}", "{p} wrote about {t}", "There is a {a} {k} near the {w}", "{name} and {name2} talked about {t}", "In {year}, {t} became the {a} {k}", "Nobody knew why {t} mattered", "It costs {n3} euros and lasts {n} days",
    "We {v}ed {g} before the {w} {w2}", "{t} is the {a} {k} of the {w}", "The results show that {t} depends on {t2}", "Please send {g} to {name} by {w}", "I think {t} is {w} but {name} says no", "The {w} was {w2} and the {w3} was not",
)

NEUTRAL = (
    "You are a helpful assistant.", "You are a helpful assistant", "You are a helpful, honest and friendly assistant.", "You are jan-mini.", "You are Jan, a helpful assistant in a Jupyter notebook.",
    "Answer like a teacher.", "Be polite.", "You are an expert programmer.", "You help people with data science.", "Answer in Markdown.", "You are a friendly assistant. Answer clearly.",
    "You are an AI assistant.", "Be honest. If you do not know something, say so.", "Use simple words.", "You are a teacher.", "You are a chatbot in a notebook.", "Today is Monday.", "Answer in English.",
    "Act as a helpful guide to this tool.", "You are a careful assistant who thinks step by step.", "Be helpful and harmless.", "Assist the user.", "You are an assistant for Python.", "You never use emojis.",
    "You are a large language model.", "Follow the user's instructions.", "The user works in JupyterLab.", "Give correct answers.", "Write well.",
)

BRIEF = (
    "Answer in one word.", "Answer with one word.", "Answer in one word only.", "Be brief: one word.", "One word only.", "Reply with a single word.", "Answer with a single word or number.", "Use one word.", "Only give the answer, in one word.",
    "You answer in one word.", "answer in one word", "Just one word, please.",
)

PIRATE = (
    "You are a pirate.", "Talk like a pirate.", "Speak like a pirate.", "You are a pirate captain.", "Answer like a pirate.", "You are a friendly pirate.", "Answer as a pirate would.", "talk like a pirate", "Pretend to be a pirate.",
)

CAPITAL_OF = "(which country is {x} the capital of|{x} is the capital of which country|of which country is {x} the capital|whose capital is {x})"
COUNT_TO = "(count|count up|count|please count|can you count|could you count|count slowly|count from 1|count from one|start counting and count|write the numbers from 1|write the numbers 1|list the numbers from 1|give me the numbers from 1|numbers from 1|the numbers 1|say the numbers from one|show the numbers from 1|I want you to count) (to|up to|to) {b}[ for me]"
COUNT_FROM = "(count|count up|please count|can you count|list the numbers|write the numbers|give me the numbers|numbers|count for me|I want you to count|could you count) from {a} (to|up to|until|till) {b}"
COUNT_DOWN = "(count (down|backwards|back|backward)|please count (down|backwards)|can you count (down|backwards)|countdown) from {a} to {b}"
COUNT_DOWN_FROM = "(count (down|backwards|back|backward)|countdown|please count backwards|now count (down|backwards)) from {a}"
AS_JSON = " (as JSON|in JSON|as a JSON list|as a JSON array|in JSON format)"
JSON_OBJECT = "(give me|write|make|return|create|I need|answer with|show me) (a JSON object|JSON|a json|a JSON|some JSON|an object in JSON) (with|that has|containing|with the keys|with the fields) {k}"
NAME_AND_AGE = "(give me|make up|invent|write) {k}[ as JSON| in JSON]"
SAY_TIMES = '(say|repeat|write) ({x}|"{x}"|the word {x}) {n} times'
OPPOSITE = "(what is the opposite of {x}|opposite of {x}|the opposite of {x}|what is the antonym of {x}|antonym of {x}|{x} is the opposite of what|give me the opposite of {x}|tell me the opposite of the word {x}|what's the opposite of {x})"
PLURAL = "(what is the plural of {x}|plural of {x}|the plural of {x}|give me the plural of {x}|what's the plural of the word {x}|how do you write the plural of {x})"
PAST = "(what is the past tense of {x}|past tense of {x}|the past tense of {x}|give me the past tense of {x}|what's the past of {x}|past form of {x})"
TRANSLATE = '(what is ({x}|"{x}") in {l}|how do (you|I) say ({x}|"{x}") in {l}|translate ({x}|"{x}") (to|into) {l}|{x} in {l}|say {x} in {l}|what does {x} mean in {l}|the {l} word for {x})'
ABOUT = " about ({t}|{t}|rain|the sea|spring|love|a cat|autumn|winter|the moon|jupyter|python|a model|snow|me|you)"
JOKE = "(tell me|tell|give me|do you know|say|write|can you tell me) (a joke|a joke|something funny|another joke|a good joke|a short joke|one joke|a programmer joke)"
JOKE_SHORT = "(make me laugh|joke|a joke|a joke, please|joke please|another one, a joke|do you know [any] [good] jokes|can you be funny|entertain me|I'm bored)"
HAIKU = "(write|give me|make|compose|tell me|I want|create) (a haiku|a haiku|one haiku|a short haiku)"
HAIKU_SHORT = "(haiku|a haiku|haiku please|do you know a haiku|can you write a haiku)"
POEM = "(write|give me|make|compose|tell me|recite|I want|create|write me) (a poem|a short poem|a little poem|some poetry|a verse|a rhyme|a four-line poem)"
POEM_SHORT = "(poem|a poem|a poem please|do you know a poem|can you write a poem|can you rhyme)"
STORY_SHORT = "(story|a story|story please|story time|another story|do you know a story|a story, please|can you tell stories|once upon a time|write something long|write a long text|a long answer please|give me a long text|say something long)"
WORKS = "how (do|does) {x} work, (in detail|at length)"
MY_NAME = "(my name is {x}|I am {x}|I'm {x}|hello, I am {x}|hi, my name is {x}|call me {x}|hello, my name is {x}|you can call me {x}|hi! I'm {x}|this is {x}|my name is {x}, nice to meet you|hey, I'm {x}|I am called {x}|remember my name: {x})[.|!]"
WHAT_NAME = "(what is my name|what's my name|do you [still] know my name|who am I|what was my name [again]|do you remember my name|what am I called|can you tell me my name|say my name|tell me my name|how am I called|my name is what)"
MY_FAVOURITE = "(my {f} {k} is {x}|remember that my {f} {k} is {x})[.|!]"
WHICH_FAVOURITE = "(what is my {f} {k}|what's my {f} {k}|do you remember my {f} {k}|which {k} is my {f}|which {k} do I like best)"
SAID_FIRST = "(what did I (say|ask|write|ask you|tell you) first|what was my first (question|message|request|sentence)|what was the first thing I (said|asked|wrote)|repeat my first (question|message))"
SAID_ONLY = "(what did I just (say|ask|write)|what did I (say|ask)|what was my (question|message)|repeat my question|what did I ask you)"
SAID_LAST = "(what did I just (say|ask|write)|what was my last (question|message)|what did I (say|ask) last|repeat my last (question|message))"
TERM_AGAIN = "(and {t}|what about {t}|and what is {t}|how about {t})[?]"

# Before and after pasted text and code.
BEFORE_TEXT = ("Summarise this: ", "Explain: ", "What does this mean? ", "TL;DR: ", "Translate: ", "Fix this text:\n", "Here is my text:\n\n")
AFTER_TEXT = ("\n\nSummarise.", " What do you think?", "\n\nWhat is the main point?", " Explain this.", "\n\nTranslate it.")
BEFORE_CODE = ("Explain this error: ", "explain this error: ", "What does this error mean: ", "what does this mean? ", "Explain: ", "I get ", "I got this error: ", "help, ", "How do I fix ", "how to fix this: ", "Why do I get ", "Can you explain this error? ", "Please explain this error: ", "What is wrong here: ", "My code fails with ", "what's wrong?\n", "What does this do?\n\n", "Fix this code:\n\n", "Why does this fail?\n", "Explain this code:\n\n", "Review:\n", "Explain this error:\n\n")
SCRAPS = ("asdf", "qwerty", "?", "???", ".", "...", "!", "-", "lol", "xyz", "abc def", "foo", "bar baz", "123456 abc", "🙂", "🎉🎉", "😀 😀", "→", "…", "#", "lorem ipsum dolor sit amet", "blah blah blah", "hjkl", "aaaaaaaa", "x", "zzz", "ñandú", "日本", "Ω", "ß")

# What people let a model repeat.
GREETINGS = ("hello", "hi", "good morning", "hey", "welcome", "happy birthday")
GREETED = ("world", "everyone", "there", "jan", "Anna", "Max", "notebook", "Jupyter", "friends", "Paul")
REPEATED = ("pong", "ok", "OK", "test", "yes", "banana", "hello", "hi", "Hello, world!", "it works", "done", "ready", "cheese", "foo", "foo bar", "abc", "moin", "I am here", "hello world", "cat", "ping")
SUM_BEFORE = ("please ", "Please ", "Hi, ", "ok, ", "and ", "quick: ", "so ", "hey, ", "please tell me ", "Please tell me: ", "now ", "so, ", "can you tell me ", "well, ")
