"""Longer answers: small talk, verse, stories, explanations at length, and code."""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

FALLBACK = (
    "I am only **jan-mini**, a tiny demonstration model, so I cannot answer that well. Choose a larger model with "
    "`%jan use MODEL`; `%jan models` lists what you have."
)
HARD_SUM = (
    "That is too much for me to do in my head, but Python can do it:\n\n```python\n{expression}\n```"
)
NAME_UNKNOWN = "You have not told me your name yet."

SMALL_TALK: dict[str, tuple[str, tuple[str, ...]]] = {
    "greeting": (
        "Hello! I am jan-mini, a tiny demonstration model. Ask me how this tool works, or try a small task such as `count to five`.",
        ("(hello|hi|hey|hi there|hello there|hey there|hello jan|good morning|good evening)[!|.]", "(hello|hi|hey)[ there][!|.]", "(hello|hi|hey|heya|hi hi|helloo|hellooo|hii|heyo)[!|!!|.|...|?]", "(a very |)good (morning|afternoon|evening) (to you|everyone|there|my friend)[!|.]",
         "(hi|hello|hey|hallo|howdy|hiya|greetings|yo|hey hey|hello hello|helo|good day)[ there| jan| jan-mini| you| again| model| friend| bot| mini| world][!|.|?|!!]",
         "good (morning|afternoon|evening|day)[ jan| to you| jan-mini][!|.]", "(hi|hello|hey), (jan|jan-mini|who is there|anyone there|you there|nice to meet you|is anybody there)[!|?|.]",
         "greet me", "(nice to meet you|pleased to meet you)[!|.]", "(test|testing|ping|are you there|is this on|testing 1 2 3|test test|can you hear me)[!|?|.]",
         "(bonjour|hola|guten Tag|ciao|salut|moin|servus|namaste|aloha)[!|.]", "hello, (this is a test|I am new|I'm new here|it works)[!|.]"),
    ),
    "how_are_you": (
        "I am well, thank you! What can I do for you?",
        ("[hi, |hello, |hey, ]how are you[ doing| today| now| doing today][?]", "how do you (do|feel)[ today][?]", "how (is it going|are things|goes it|is life|'s it going)[?]", "(are you ok|are you well|are you fine|everything ok|what's up|sup|how is your day|how was your day)[?]"),
    ),
    "who": (
        "I am **jan-mini**, a tiny demonstration model that comes with `jan_jupyter`. I answer simple questions and show that everything works. For real work, choose a larger model with `%jan use MODEL`.",
        ("who are you", "what are you", "what is your name", "what's your name", "your name", "tell me about yourself", "introduce yourself", "what is (jan-mini|jan mini)", "who is (jan-mini|jan mini)", "(describe|present) yourself", "what (kind|sort) of model are you", "are you (a robot|an AI|a person|human|a human|a machine|a bot|a language model|real|alive|a model|a program)", "(explain|tell me about) (jan-mini|jan mini)", "do you have a name", "what do they call you", "who am I talking to", "what should I call you", "who (is this|is there|is speaking)", "(tell|say) me who you are", "what (exactly |)are you", "who or what are you", "are you (jan|jan-mini|a chatbot|an assistant|a computer)", "I want to know who you are", "may I ask who you are", "your name, please", "what is this bot"),
    ),
    "can_do": (
        "I am small, but I can:\n\n- explain this tool: `how do I choose a model?`\n- count, list things and do small sums\n- name the capitals of many countries\n- explain common terms in a sentence\n- show short pieces of Python\n- tell a joke, a poem or a story",
        ("what can you do", "what do you (know|offer|do)", "(how|what) can you help[ me| me with]", "what are you (good at|able to do|capable of|for|good for|able to answer)", "what (can|may|should) I ask[ you]", "(list|show|tell) me what you can do", "what are your (skills|abilities|capabilities|features|strengths)", "what (questions|things|tasks) can (you answer|I ask you|you do)", "give me (some|a few) (example questions|things to try|ideas what to ask|examples)", "(help me|I need help|can you help me|could you help me|can you assist me|how could you help me)[?|!|, please]", "(which|what) (questions|things|tasks|topics) do you (know|understand|answer|handle|cover)", "what else can you do", "what can I (use you for|do with you|ask you about)", "(tell|show) me what you (know|do|offer)", "is there (anything|something) you can do", "what would you be able to do", "your (skills|abilities|features)", "what sort of (questions|things) can I ask", "can you do (anything|something) useful", "what kind of questions can you answer", "how can you help"),
    ),
    "thanks": (
        "You are welcome!",
        ("(thanks|thank you|thx|many thanks|thank you very much|thanks a lot|ty|cheers|great, thanks|ok thanks|perfect, thank you|thanks, jan|cool, thanks|that helped, thanks|thank you so much)[!|.]",),
    ),
    "praise": (
        "Thank you, that is kind!",
        ("(good job|well done|nice|great|cool|wow|awesome|amazing|excellent|very good|impressive|not bad|good bot|you are great|you're great|I like you|I love you|you are nice|perfect|brilliant|good answer|nice work|you are smart|you are funny|that is right|that is great)[!|.]",),
    ),
    "bye": (
        "Goodbye! It was nice to talk to you.",
        ("(bye|goodbye|good bye|bye bye|see you|see you later|good night|farewell|so long|cya|take care|until tomorrow|have a nice day|see you soon|I have to go|that is all|that's all)[!|.| jan|, jan]",),
    ),
    "yes_no": (
        "All right! What can I do for you?",
        ("(ok|okay|yes|no|sure|fine|yep|nope|alright|all right|I see|hm|hmm|maybe|right|aha|got it|good|so|well|and|k|y|n)[!|.|...|?]",),
    ),
    "sorry": ("No problem at all!", ("(sorry|I am sorry|oops|my mistake|excuse me|pardon|I'm sorry|my bad)[!|.]",)),
    "size": (
        "I have about 2.7 million parameters, and my file is about 3 MB. A large model has thousands of times as many, and knows far more.",
        ("how (big|large|small) are you", "how many (parameters|weights) do you have", "what is your size", "how large is (your file|jan-mini|jan mini|this model)", "how much (memory|space) do you (need|take|use)", "your size", "are you (small|big|large|tiny)", "why are you (so small|tiny|small)"),
    ),
    "made": (
        "I was made by the authors of `jan_jupyter`: a script wrote all my training data from tables and patterns, and I learned from that alone.",
        ("who (made|trained|created|built|wrote|developed) you", "how were you (made|trained|built|created)", "where do you come from", "what were you trained on", "(what is|where is) your training data[ from]", "how long (did your training take|were you trained)", "who is your (maker|author|creator)", "when were you (made|trained)", "how old are you"),
    ),
    "feelings": (
        "I am a small program, so I have no feelings or opinions of my own. I am glad to answer simple questions, though!",
        ("do you (have feelings|like me|love me|dream|think|sleep|like music|have a favourite colour|feel pain|have a body|eat|get tired|like your job|have friends|have a family|have a soul)", "are you (happy|sad|conscious|tired|bored|angry|in love|sentient|lonely)", "what is your favourite (colour|color|food|film|song|book|animal|movie|band|number|language)", "what's your favorite (color|food|movie|song|book|animal)", "what do you think (about|of) (me|people|the world|life|other models|AI|love)"),
    ),
    "name_unknown": (
        NAME_UNKNOWN,
        ("what is my name", "what's my name", "do you know my name", "who am I", "how am I called", "can you tell me my name", "do you remember my name"),
    ),
    "date": (
        "I cannot see the clock or the calendar. Python can:\n\n```python\nfrom datetime import datetime\n\nprint(datetime.now())\n```",
        ("what (day|date) is it[ today]", "what time is it[ now]", "what is (the time|today's date|the date|the current time|the current date)[ now| today]", "what (year|month|week) is it", "which day is (today|it)", "what's the (time|date)", "current (time|date)", "today's date", "is it monday today"),
    ),
}

JOKES = (
    "Why do programmers prefer dark mode? Because light attracts bugs!",
    "There are 10 kinds of people: those who understand binary, and those who don't.",
    "Why did the notebook go to the doctor? Its kernel had died.",
)
HAIKU = (
    "Rain taps on the roof,\na small lamp glows by the desk,\nwords fall one by one.",
    "Old pond in moonlight,\na frog leaps into the sky:\nrings across the stars.",
)
POEM = (
    "The little model wakes at night\nand hums a line or two;\nits words are few, its load is light,\nits answers small but true.\n\n"
    "It counts to ten, it names a town,\nit tells a tale of snow,\nand when the lights at last go down\nit waits for your hello."
)

STORIES: dict[str, str] = {
    "a robot": (
        "## The robot who watered the garden\n\n"
        "At the edge of a quiet town stood an old greenhouse, and in it lived a small robot called Pim. Nobody remembered who had built him. "
        "Every morning he rolled out with a dented watering can, and every evening he counted the leaves.\n\n"
        "One summer the rain stayed away. The river grew thin, the grass turned yellow, and the people of the town closed their shutters against the heat. "
        "Only Pim went on working. He carried water from the last deep well, one can at a time, a hundred times a day.\n\n"
        "A girl named Ada watched him from her window. On the third day she came down with a bucket. On the fourth day her brother came too, and on the fifth day half the "
        "street stood in a long line from the well to the greenhouse.\n\n"
        "When the rain returned at last, the greenhouse was the only green place for miles. The people took its seeds and planted them in every garden, and they painted Pim's "
        "watering can bright red.\n\n"
        "He still counts the leaves every evening. It takes him much longer now, and he does not mind at all."
    ),
    "a cat": (
        "## The cat who read the stars\n\n"
        "In a tall house by the harbour lived a grey cat named Miso. By day she slept on the warm roof, and by night she looked at the stars.\n\n"
        "She knew them all by heart. When the Fisherman rose in the east, she told the sailors' cats that the wind would turn, and when the Lantern hid behind the clouds, she told them to stay ashore.\n\n"
        "One night a thick fog came in, and the lighthouse went dark. Far out a bell rang: a boat was lost. Miso climbed to the top of the church tower, where the fog ended and the sky began. "
        "She saw the stars, she saw the boat, and she called as loudly as a small cat can.\n\n"
        "The fishermen heard her. They turned towards the voice, and one by one the lights of the harbour came out of the fog.\n\n"
        "Since then there is a bowl of cream on every doorstep, and a small cushion on top of the tower."
    ),
    "a dragon": (
        "## The dragon who was afraid of fire\n\n"
        "Once upon a time a young dragon named Ember lived in a cave high above the valley. All dragons breathe fire, but Ember did not dare to: sparks frightened her, and smoke made her sneeze.\n\n"
        "The other dragons laughed. So Ember flew down to the valley and looked for work. The baker did not need her, for she lit no oven. The smith did not need her, for she heated no iron.\n\n"
        "Then winter came, colder than ever before. The wind put out every fire in the valley, and nobody had a dry match left. The people knocked at the cave with blue hands.\n\n"
        "Ember shut her eyes, thought of all the cold children, and breathed. A small golden flame came out, no bigger than a leaf. It did not bite. It was warm, and it was hers.\n\n"
        "She went from house to house and lit every hearth. And when she sneezed, the people laughed with her and not at her."
    ),
}

ESSAYS: dict[str, tuple[tuple[str, ...], str]] = {
    "streaming": (
        ("streaming", "how streaming works", "token streaming", "how an answer is streamed"),
        "## How streaming works\n\n"
        "A language model writes its answer one **token** at a time. A token is a word or a part of a word. There is no finished text that waits somewhere: each token is computed only after the one before it.\n\n"
        "Without streaming you would wait until the last token is written. With streaming, each piece is sent on as soon as it exists:\n\n"
        "1. The model computes the next token.\n2. The engine sends it to the notebook.\n3. The notebook adds it to the output of the cell.\n4. All this repeats until the answer ends.\n\n"
        "So you can start to read at once, and you can press **Stop** when you have seen enough. What was written so far stays.\n\n"
        "In Python you get the same pieces in a loop:\n\n```python\nimport jan_jupyter as jan\n\nfor piece in jan.stream(\"Tell me a story.\"):\n    print(piece, end=\"\")\n```",
    ),
    "language models": (
        ("language models", "how language models work", "LLMs", "how an LLM works", "large language models", "how you work", "how a language model works"),
        "## How a language model works\n\n"
        "A language model does one thing: it looks at a text and predicts which **token** comes next. It adds that token to the text and predicts again. Step by step, this becomes a whole answer.\n\n"
        "**Training.** At first the model's numbers, its parameters, are random. It is shown very many texts. Whenever its prediction is wrong, all its numbers are changed a tiny bit, so that the right token becomes more likely.\n\n"
        "**Attention.** To predict well, the model has to know what was said before. Attention lets each token look back at earlier tokens and pick out those that matter.\n\n"
        "**Choosing.** The model gives a probability to every token. With temperature 0 the likeliest one is taken; a higher temperature makes other tokens possible too.\n\n"
        "A model does not look facts up. It has learned patterns, and a small model like me has learned only a few. So check what a model tells you.",
    ),
    "notebooks": (
        ("notebooks", "Jupyter notebooks", "how a notebook works", "how notebooks work", "Jupyter"),
        "## How a notebook works\n\n"
        "A notebook is a document made of **cells**. Some hold text, written in Markdown; others hold code. You can run each cell by itself and see its result right below it.\n\n"
        "Behind the notebook there is a **kernel**, a process that runs the code. It keeps your variables, so a later cell can use what an earlier one has computed. When you restart the kernel, the variables are gone, but the document stays.\n\n"
        "A line that begins with `%` is a **magic**, a command to the notebook and not a line of Python. A cell that begins with `%%` hands its whole text to a magic. That is how you talk to me:\n\n"
        "```text\n%%jan\nTell me a joke.\n```\n\n"
        "The text below the first line goes to a model, and the answer appears as the cell's output. It is saved in the notebook together with everything else.",
    ),
    "jan_jupyter": (
        ("jan_jupyter", "this tool", "this extension", "how jan_jupyter works", "how this tool works", "jan"),
        "## How jan_jupyter works\n\n"
        "`jan_jupyter` puts language models into your notebook. You start a cell with `%%jan`, write your question, and run it:\n\n"
        "```text\n%%jan my-model\nWhat is a data frame?\n```\n\n"
        "**Models.** Each model has a folder with a `model.json`, which says what the model is called and which engine runs it. `%jan models` lists what you have, and `%jan use my-model` makes one the default.\n\n"
        "**Engines.** The engine does the work. `nitro` runs models on this machine with llama.cpp. Other engines send your prompt to a remote server; their API keys come from environment variables.\n\n"
        "**Answers.** The answer streams in below the cell. Press **Stop** to end it, and add `-c` to go on with the conversation.\n\n"
        "**Python.** Everything works from code too:\n\n```python\nimport jan_jupyter as jan\n\nprint(jan.chat(\"What is a data frame?\", model=\"my-model\"))\n```",
    ),
}

# Short Python: name -> (what people ask for, with `to` before a verb; the code).
SNIPPETS: dict[str, tuple[tuple[str, ...], str]] = {
    "hello": (("hello world", "a hello world program", "a program that prints hello world", "hello world in Python", "to print hello world", "a hello world script", "to print hello world", "to say hello world"), 'print("Hello, world!")'),
    "sum": (("to sum a list", "the sum of a list", "a sum of numbers", "to add up a list", "to sum a list of numbers", "to add the numbers in a list", "a function that sums a list"), 'def total(numbers):\n    return sum(numbers)\n\nprint(total([1, 2, 3, 4]))'),
    "csv": (("to read a csv file", "to read a csv with pandas", "to load a CSV", "to open a csv file with pandas", "to read a csv", "to read a CSV file", "to load a csv into a data frame"), 'import pandas as pd\n\ndf = pd.read_csv("data.csv")\ndf.head()'),
    "for": (("a for loop", "a loop", "a loop from 0 to 4", "a simple for loop", "an example of a for loop", "to loop over a range", "to write a for loop", "to print the numbers 0 to 4", "to loop from 0 to 4", "to repeat something five times"), "for i in range(5):\n    print(i)"),
    "while": (("a while loop", "an example of a while loop", "a simple while loop"), "n = 3\nwhile n > 0:\n    print(n)\n    n -= 1"),
    "plot": (("to plot a line", "to draw a plot", "a plot with matplotlib", "to plot data", "to make a plot", "a line plot", "a simple plot", "to plot some numbers", "a chart", "to plot with matplotlib", "to plot a line with matplotlib", "to draw a line chart", "to draw a graph", "to use matplotlib", "matplotlib"), "import matplotlib.pyplot as plt\n\nplt.plot([1, 2, 3], [2, 4, 8])\nplt.show()"),
    "function": (("to define a function", "a function that adds two numbers", "to write a function", "an add function", "an example of a function", "a function to add two numbers", "a simple function", "a Python function", "function definition", "a function definition", "to declare a function", "to create a function", "def"), "def add(a, b):\n    return a + b\n\nprint(add(2, 3))"),
    "if": (("an if statement", "if and else", "an if else example", "an if-else statement", "an example of if"), 'x = 5\nif x > 3:\n    print("large")\nelse:\n    print("small")'),
    "file": (("to read a file", "to open a text file", "to read a text file", "to load a text file", "to read the contents of a file", "to read in a file", "to open a file", "to read a file line by line", "to get the text of a file"), 'with open("notes.txt") as file:\n    print(file.read())'),
    "write": (("to write a file", "to save text to a file", "to write text to a file", "to write to a file"), 'with open("notes.txt", "w") as file:\n    file.write("Hello!\\n")'),
    "sort": (("to sort a list", "to sort numbers", "to order a list", "to sort some numbers", "a sorted list", "to sort an array", "to put a list in order", "sorting of a list", "a sort function"), 'def sort(items):\n    return sorted(items)\n\nprint(sort([3, 1, 2]))'),
    "reverse": (("to reverse a string", "to turn a string around", "a function that reverses a string", "to reverse a text", "to reverse a word", "a reversed string", "to flip a string", "to reverse some text"), 'def reverse(text):\n    return text[::-1]\n\nprint(reverse("notebook"))'),
    "dict": (("a dictionary", "to make a dict", "to create a dictionary", "an example of a dictionary", "to use a dict"), 'ages = {"Ada": 36, "Alan": 41}\nprint(ages["Ada"])'),
    "comprehension": (("a list comprehension", "squares of a list", "an example of a list comprehension", "the squares of the numbers 0 to 4", "list comprehension", "to write a list comprehension", "to use a list comprehension", "list comprehensions", "to make a list of squares"), "squares = [n * n for n in range(5)]\nprint(squares)"),
    "class": (("a class", "to define a class", "a simple class", "an example of a class"), 'class Dog:\n    def __init__(self, name):\n        self.name = name\n\n    def speak(self):\n        return self.name + " says woof"\n\nprint(Dog("Rex").speak())'),
    "fibonacci": (("the fibonacci numbers", "fibonacci", "a fibonacci function", "to print the fibonacci sequence", "to compute fibonacci numbers", "the fibonacci sequence", "to generate the fibonacci sequence", "to calculate fibonacci numbers", "the first ten fibonacci numbers"), 'def fibonacci(n):\n    numbers = [0, 1]\n    while len(numbers) < n:\n        numbers.append(numbers[-1] + numbers[-2])\n    return numbers[:n]\n\nprint(fibonacci(10))'),
    "factorial": (("a factorial function", "the factorial of a number", "factorial", "to compute a factorial", "to calculate the factorial of a number", "to compute the factorial", "a recursive factorial", "factorials"), "def factorial(n):\n    return 1 if n < 2 else n * factorial(n - 1)\n\nprint(factorial(5))"),
    "random": (("a random number", "to roll a die", "to make a random number", "to generate a random number", "random numbers"), "import random\n\nprint(random.randint(1, 6))"),
    "mean": (("the mean of a list", "an average", "to compute the average of a list", "the average of a list of numbers", "to compute a mean"), 'def mean(numbers):\n    return sum(numbers) / len(numbers)\n\nprint(mean([1, 2, 3, 4]))'),
    "max": (("the largest number of a list", "the maximum of a list", "to find the biggest number in a list", "to find the maximum"), 'def largest(numbers):\n    return max(numbers)\n\nprint(largest([3, 9, 4]))'),
    "json": (("to read a JSON file", "to load json", "to parse a json file", "to open a JSON file"), 'import json\n\nwith open("data.json") as file:\n    data = json.load(file)\nprint(data)'),
    "frame": (("to make a data frame", "to create a dataframe", "to create a pandas data frame", "an example of a data frame", "to make a pandas dataframe"), 'import pandas as pd\n\ndf = pd.DataFrame({"name": ["Ada", "Alan"], "age": [36, 41]})\ndf'),
    "numpy": (("a numpy array", "to make an array with numpy", "to create a numpy array", "an array in numpy"), "import numpy as np\n\na = np.array([1, 2, 3])\nprint(a * 2)"),
    "input": (("to ask for input", "to read input from the user", "to ask the user for a name", "to get user input"), 'name = input("Your name: ")\nprint("Hello,", name)'),
    "try": (("to catch an exception", "try and except", "to handle an error", "an example of try except", "exception handling"), 'try:\n    print(1 / 0)\nexcept ZeroDivisionError:\n    print("You cannot divide by zero.")'),
    "wait": (("to wait a second", "to sleep for a second", "to pause a program", "to wait for two seconds"), "import time\n\ntime.sleep(1)"),
    "even": (("to check if a number is even", "to test whether a number is even", "an is_even function"), "def is_even(n):\n    return n % 2 == 0\n\nprint(is_even(4))"),
    "count_words": (("to count words", "to count the words of a text", "to count words in a string"), 'text = "one two two"\nprint(len(text.split()))'),
    "dict_loop": (("a loop over a dictionary", "a dictionary loop", "to loop over a dictionary", "to loop over a dict", "to iterate over a dictionary", "to go through a dictionary", "to print all keys and values of a dictionary", "to loop through a dict", "dict iteration"), 'ages = {"Ada": 36, "Alan": 41}\nfor name, age in ages.items():\n    print(name, age)'),
    "list_loop": (("a loop over a list", "to loop over a list", "to iterate over a list", "to go through a list", "to print each item of a list", "to loop through a list"), 'for item in ["a", "b", "c"]:\n    print(item)'),
    "groupby": (("a groupby", "a pandas groupby", "pandas groupby", "to group by a column", "to group a data frame", "to use groupby", "to group data with pandas", "an example of groupby", "to group a dataframe by a column", "a group by in pandas"), 'import pandas as pd\n\ndf = pd.DataFrame({"team": ["a", "a", "b"], "points": [1, 2, 5]})\ndf.groupby("team")["points"].mean()'),
    "fizzbuzz": (("fizzbuzz", "fizz buzz", "FizzBuzz", "a fizzbuzz program", "to write fizzbuzz", "to print fizzbuzz", "to solve fizzbuzz", "the fizzbuzz game", "a solution of fizzbuzz"), 'for n in range(1, 16):\n    if n % 15 == 0:\n        print("FizzBuzz")\n    elif n % 3 == 0:\n        print("Fizz")\n    elif n % 5 == 0:\n        print("Buzz")\n    else:\n        print(n)'),
}
