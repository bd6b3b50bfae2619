"""What jan-mini knows about the world: small tables, checked by hand."""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501, SIM905
# fmt: off

from __future__ import annotations

CAPITALS = {
    "Afghanistan": "Kabul", "Albania": "Tirana", "Algeria": "Algiers", "Andorra": "Andorra la Vella",
    "Angola": "Luanda", "Argentina": "Buenos Aires", "Armenia": "Yerevan", "Australia": "Canberra",
    "Austria": "Vienna", "Azerbaijan": "Baku", "Bahrain": "Manama", "Bangladesh": "Dhaka",
    "Belarus": "Minsk", "Belgium": "Brussels", "Bhutan": "Thimphu", "Bosnia and Herzegovina": "Sarajevo",
    "Botswana": "Gaborone", "Brazil": "Brasília", "Bulgaria": "Sofia", "Cambodia": "Phnom Penh",
    "Cameroon": "Yaoundé", "Canada": "Ottawa", "Chad": "N'Djamena", "Chile": "Santiago",
    "China": "Beijing", "Colombia": "Bogotá", "Costa Rica": "San José", "Croatia": "Zagreb",
    "Cuba": "Havana", "Cyprus": "Nicosia", "Czechia": "Prague", "Denmark": "Copenhagen",
    "Ecuador": "Quito", "Egypt": "Cairo", "El Salvador": "San Salvador", "Estonia": "Tallinn",
    "Ethiopia": "Addis Ababa", "Fiji": "Suva", "Finland": "Helsinki", "France": "Paris",
    "Georgia": "Tbilisi", "Germany": "Berlin", "Ghana": "Accra", "Greece": "Athens",
    "Guatemala": "Guatemala City", "Haiti": "Port-au-Prince", "Honduras": "Tegucigalpa",
    "Hungary": "Budapest", "Iceland": "Reykjavik", "India": "New Delhi", "Indonesia": "Jakarta",
    "Iran": "Tehran", "Iraq": "Baghdad", "Ireland": "Dublin", "Italy": "Rome", "Jamaica": "Kingston",
    "Japan": "Tokyo", "Jordan": "Amman", "Kenya": "Nairobi", "Kuwait": "Kuwait City",
    "Kyrgyzstan": "Bishkek", "Laos": "Vientiane", "Latvia": "Riga", "Lebanon": "Beirut",
    "Libya": "Tripoli", "Liechtenstein": "Vaduz", "Lithuania": "Vilnius", "Luxembourg": "Luxembourg",
    "Madagascar": "Antananarivo", "Malawi": "Lilongwe", "Malaysia": "Kuala Lumpur", "Mali": "Bamako",
    "Malta": "Valletta", "Mexico": "Mexico City", "Moldova": "Chișinău", "Monaco": "Monaco",
    "Mongolia": "Ulaanbaatar", "Montenegro": "Podgorica", "Morocco": "Rabat", "Mozambique": "Maputo",
    "Myanmar": "Naypyidaw", "Namibia": "Windhoek", "Nepal": "Kathmandu", "New Zealand": "Wellington",
    "Nicaragua": "Managua", "Nigeria": "Abuja", "North Korea": "Pyongyang",
    "North Macedonia": "Skopje", "Norway": "Oslo", "Oman": "Muscat", "Pakistan": "Islamabad",
    "Panama": "Panama City", "Paraguay": "Asunción", "Peru": "Lima", "the Philippines": "Manila",
    "Poland": "Warsaw", "Portugal": "Lisbon", "Qatar": "Doha", "Romania": "Bucharest",
    "Russia": "Moscow", "Rwanda": "Kigali", "Saudi Arabia": "Riyadh", "Senegal": "Dakar",
    "Serbia": "Belgrade", "Slovakia": "Bratislava", "Slovenia": "Ljubljana", "Somalia": "Mogadishu",
    "South Korea": "Seoul", "Spain": "Madrid", "Sudan": "Khartoum", "Sweden": "Stockholm",
    "Switzerland": "Bern", "Syria": "Damascus", "Taiwan": "Taipei", "Tanzania": "Dodoma",
    "Thailand": "Bangkok", "Tunisia": "Tunis", "Turkey": "Ankara", "Uganda": "Kampala",
    "Ukraine": "Kyiv", "the United Arab Emirates": "Abu Dhabi", "the United Kingdom": "London",
    "the United States": "Washington, D.C.", "Uruguay": "Montevideo", "Uzbekistan": "Tashkent",
    "Venezuela": "Caracas", "Vietnam": "Hanoi", "Yemen": "Sanaa", "Zambia": "Lusaka",
    "Zimbabwe": "Harare", "the Netherlands": "Amsterdam", "Kazakhstan": "Astana", "Tajikistan": "Dushanbe",
    "Turkmenistan": "Ashgabat",
}

OTHER_NAMES = {
    "the United States": ("the USA", "USA", "the US", "America"),
    "the United Kingdom": ("the UK", "UK", "Great Britain", "England"),
    "the United Arab Emirates": ("the UAE", "UAE"),
    "the Philippines": ("Philippines",),
    "the Netherlands": ("Netherlands", "Holland"),
    "Czechia": ("the Czech Republic", "Czech Republic"),
}

NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)

# Things that can be listed: name in the plural -> the items, in the order in which they are given.
# A fixed list ("days of the week") is asked for as a whole, the others by number.
FIXED_LISTS = {
    "days of the week": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "months of the year": (
        "January February March April May June July August September October November December"
    ).split(),
    "planets of the solar system": (
        "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune"
    ).split(),
    "seasons": "Spring Summer Autumn Winter".split(),
    "continents": (
        "Africa|Antarctica|Asia|Australia|Europe|North America|South America".split("|")
    ),
    "oceans": "Arctic|Atlantic|Indian|Pacific|Southern".split("|"),
    "primary colours": "Red Yellow Blue".split(),
    "colours of the rainbow": "Red Orange Yellow Green Blue Indigo Violet".split(),
    "vowels": "A E I O U".split(),
    "senses": "Sight Hearing Smell Taste Touch".split(),
    "points of the compass": "North East South West".split(),
}
OPEN_LISTS = {
    "fruits": "Apple Banana Cherry Grape Mango Orange Peach Pear Plum Strawberry".split(),
    "vegetables": "Carrot Potato Tomato Onion Spinach Cabbage Pea Pepper Leek Broccoli".split(),
    "colours": "Red Blue Green Yellow Orange Purple Pink Brown Black White".split(),
    "animals": "Cat Dog Horse Elephant Lion Tiger Rabbit Bear Fox Wolf".split(),
    "birds": "Eagle Owl Robin Sparrow Parrot Penguin Swan Duck Crow Dove".split(),
    "countries": "France Japan Brazil Canada Egypt India Kenya Norway Peru Spain".split(),
    "cities": "Paris|Tokyo|London|Cairo|Lima|Rome|Sydney|Berlin|Madrid|Oslo".split("|"),
    "programming languages": "Python|JavaScript|Java|C|C++|Rust|Go|R|Julia|Ruby".split("|"),
    "sports": "Football|Tennis|Swimming|Running|Cycling|Golf|Rugby|Skiing|Boxing|Hockey".split("|"),
    "flowers": "Rose Tulip Daisy Lily Violet Sunflower Orchid Poppy Iris Lavender".split(),
    "trees": "Oak Pine Birch Maple Beech Willow Ash Elm Cedar Fir".split(),
    "prime numbers": "2 3 5 7 11 13 17 19 23 29".split(),
    "even numbers": "2 4 6 8 10 12 14 16 18 20".split(),
    "odd numbers": "1 3 5 7 9 11 13 15 17 19".split(),
    "square numbers": "1 4 9 16 25 36 49 64 81 100".split(),
    "instruments": "Piano|Guitar|Violin|Flute|Drum|Trumpet|Cello|Harp|Clarinet|Saxophone".split("|"),
    "drinks": "Water|Tea|Coffee|Milk|Juice|Lemonade|Cocoa|Soda|Smoothie|Cider".split("|"),
    "Python libraries": (
        "numpy|pandas|matplotlib|scipy|scikit-learn|requests|pytest|flask|torch|seaborn".split("|")
    ),
    "metals": "Iron Gold Silver Copper Tin Zinc Lead Nickel Aluminium Titanium".split(),
}
LIST_NAMES = {
    "colours": ("colours", "colors"),
    "primary colours": ("primary colours", "primary colors"),
    "colours of the rainbow": ("colours of the rainbow", "colors of the rainbow", "rainbow colours"),
    "months of the year": ("months of the year", "months", "names of the months", "twelve months"),
    "days of the week": ("days of the week", "weekdays", "names of the days", "seven days of the week"),
    "planets of the solar system": ("planets of the solar system", "planets", "eight planets",
                                    "planets in our solar system", "names of the planets"),
    "seasons": ("seasons", "four seasons", "seasons of the year"),
    "oceans": ("oceans", "oceans of the world", "five oceans"),
    "continents": ("continents", "seven continents", "continents of the world"),
    "vowels": ("vowels", "English vowels", "vowels of the alphabet"),
    "senses": ("senses", "five senses", "human senses"),
    "points of the compass": ("points of the compass", "compass points", "four directions"),
    "prime numbers": ("prime numbers", "primes"),
    "square numbers": ("square numbers", "squares"),
    "instruments": ("instruments", "musical instruments"),
    "Python libraries": ("Python libraries", "Python packages"),
    "programming languages": ("programming languages", "computer languages"),
}

ANTONYMS = dict(
    pair.split("-")
    for pair in (
        "hot-cold big-small up-down left-right good-bad fast-slow open-closed light-dark old-young "
        "happy-sad high-low long-short rich-poor full-empty hard-soft wet-dry strong-weak early-late "
        "true-false near-far day-night love-hate win-lose inside-outside black-white clean-dirty "
        "thick-thin loud-quiet begin-end buy-sell wide-narrow"
    ).split()
)
PLURALS = dict(
    pair.split("-")
    for pair in (
        "cat-cats dog-dogs mouse-mice child-children man-men woman-women foot-feet tooth-teeth goose-geese "
        "person-people box-boxes city-cities leaf-leaves knife-knives sheep-sheep fish-fish book-books "
        "house-houses baby-babies bus-buses potato-potatoes wolf-wolves ox-oxen index-indices datum-data"
    ).split()
)
PAST = dict(
    pair.split("-")
    for pair in (
        "go-went see-saw eat-ate run-ran write-wrote take-took come-came give-gave find-found "
        "think-thought buy-bought sing-sang swim-swam speak-spoke begin-began know-knew make-made do-did"
    ).split()
)

# One-line facts: question patterns -> the whole answer.
SIMPLE_FACTS: dict[str, tuple[str, ...]] = {
    "The sky is blue because air scatters blue light more than red light.": (
        "why is the sky blue", "why does the sky look blue", "what makes the sky blue",
    ),
    "There are **seven** days in a week.": (
        "how many days (are|are there) in a week", "how many days does a week have",
        "number of days in a week",
    ),
    "A year has **365** days, and a leap year has 366.": (
        "how many days (are|are there) in a year", "how many days does a year have",
        "how long is a year in days",
    ),
    "A year has **twelve** months.": (
        "how many months (are|are there) in a year", "how many months does a year have",
    ),
    "An hour has **60** minutes.": (
        "how many minutes (are|are there) in an hour", "how many minutes does an hour have",
    ),
    "A minute has **60** seconds.": (
        "how many seconds (are|are there) in a minute", "how many seconds does a minute have",
    ),
    "A day has **24** hours.": (
        "how many hours (are|are there) in a day", "how many hours does a day have",
    ),
    "A spider has **eight** legs.": (
        "how many legs does a spider have", "how many legs (do|have) spiders have",
        "number of legs of a spider",
    ),
    "On a clear day the sky is **blue**.": (
        "what (colour|color) is the sky", "what is the (colour|color) of the sky",
        "which (colour|color) does the sky have",
    ),
    "Grass is **green**.": ("what (colour|color) is grass", "what is the (colour|color) of grass"),
    "At sea level, water boils at **100 °C** (212 °F).": (
        "at what temperature does water boil", "when does water boil",
        "what is the boiling point of water", "boiling point of water",
    ),
    "Water freezes at **0 °C** (32 °F).": (
        "at what temperature does water freeze", "when does water freeze",
        "what is the freezing point of water", "freezing point of water",
    ),
    "The largest planet of the solar system is **Jupiter**.": (
        "what is the (largest|biggest) planet", "which planet is the (largest|biggest)",
        "the (largest|biggest) planet (of|in) the solar system",
    ),
    "The planet closest to the Sun is **Mercury**.": (
        "which planet is [the] (closest|nearest) to the sun", "what planet is (closest|nearest) to the sun",
    ),
    "The largest ocean is the **Pacific Ocean**.": (
        "what is the (largest|biggest) ocean", "which ocean is the (largest|biggest)",
    ),
    "The highest mountain on Earth is **Mount Everest**.": (
        "what is the (highest|tallest) mountain", "which mountain is the (highest|tallest)",
        "(highest|tallest) mountain (on earth|in the world)",
    ),
    "The chemical formula of water is **H₂O**.": (
        "what is the [chemical] formula (of|for) water", "chemical formula (of|for) water",
        "what is water made of",
    ),
    "Pi is about **3.14159**.": (
        "what is pi", "what is the value of pi", "value of pi", "how much is pi",
    ),
    "The English alphabet has **26** letters.": (
        "how many letters (are|are there) in the [English] alphabet",
        "how many letters does the [English] alphabet have",
    ),
    "*Romeo and Juliet* was written by **William Shakespeare**.": (
        "who wrote Romeo and Juliet", "who is the author of Romeo and Juliet",
    ),
    "Python was created by **Guido van Rossum** and first released in 1991.": (
        "who (created|made|invented|wrote) Python", "who is the (author|creator|inventor) of Python",
        "when was Python (created|released)",
    ),
    "The answer is **42**, of course.": (
        "what is the (meaning|answer) (of|to) life[, the universe and everything]",
        "what's the meaning of life",
    ),
    "The Earth is round: it is nearly a sphere, a little flattened at the poles.": (
        "is the earth (flat|round)", "what (shape|form) (is|has) the earth",
    ),
    "The Moon orbits the Earth, and the Earth orbits the Sun.": (
        "does the (sun orbit the earth|earth orbit the sun)", "what does the (moon|earth) orbit",
    ),
}

# A few words in other languages.
TRANSLATIONS = {
    "French": {"hello": "bonjour", "thank you": "merci", "goodbye": "au revoir", "yes": "oui", "no": "non",
               "good morning": "bonjour", "please": "s'il vous plaît", "cat": "chat", "dog": "chien", "water": "eau"},
    "German": {"hello": "hallo", "thank you": "danke", "goodbye": "auf Wiedersehen", "yes": "ja", "no": "nein",
               "good morning": "guten Morgen", "please": "bitte", "cat": "Katze", "dog": "Hund", "water": "Wasser"},
    "Spanish": {"hello": "hola", "thank you": "gracias", "goodbye": "adiós", "yes": "sí", "no": "no",
                "good morning": "buenos días", "please": "por favor", "cat": "gato", "dog": "perro", "water": "agua"},
    "Italian": {"hello": "ciao", "thank you": "grazie", "goodbye": "arrivederci", "yes": "sì", "no": "no",
                "good morning": "buongiorno", "please": "per favore", "cat": "gatto", "dog": "cane", "water": "acqua"},
}

# What a JSON object made on request holds: key -> value.
JSON_VALUES: dict[str, object] = {
    "name": "Ada", "age": 36, "city": "Paris", "country": "France", "colour": "blue", "animal": "cat",
    "number": 7, "title": "A Day in Spring", "email": "ada@example.com", "price": 9.5, "active": True,
    "language": "Python", "year": 2024, "job": "teacher", "food": "soup", "capital": "Rome",
}

# Terms explained in one sentence: name -> (other spellings, the sentence).
TERMS: dict[str, tuple[tuple[str, ...], str]] = {
    "token": (("a token", "tokens", "a token in an LLM"), "A **token** is a piece of text, often a word or a part of a word, that a language model reads and writes one at a time."),
    "temperature": (("the temperature", "sampling temperature", "temperature in an LLM"), "**Temperature** sets how freely a model chooses its next token: 0 always takes the likeliest one, and higher values give more varied answers."),
    "top-p": (("top_p", "nucleus sampling", "top p"), "**Top-p** lets the model choose only among the likeliest tokens whose probabilities together reach p, which cuts off unlikely ones."),
    "seed": (("a seed", "a random seed", "the seed"), "A **seed** is the number from which random choices start, so the same seed gives the same choices again."),
    "LLM": (("an LLM", "a large language model", "large language models", "LLMs"), "An **LLM** (large language model) is a neural network trained on much text that writes an answer one token at a time."),
    "language model": (("a language model", "language models"), "A **language model** predicts the next token of a text, and by doing so again and again it writes an answer."),
    "notebook": (("a notebook", "a Jupyter notebook", "notebooks"), "A **notebook** is a document that mixes text, code and the results of that code, cell by cell."),
    "cell": (("a cell", "a notebook cell", "cells"), "A **cell** is one block of a notebook: you write code or text in it and run it by itself."),
    "kernel": (("a kernel", "the kernel", "a Jupyter kernel"), "A **kernel** is the process that runs the code of a notebook and keeps its variables."),
    "magic": (("a magic", "a magic command", "magics", "IPython magics"), "A **magic** is a command of IPython that begins with `%` for one line or with `%%` for a whole cell, such as `%%jan`."),
    "GGUF": (("a GGUF", "a GGUF file", "the GGUF format", "gguf files"), "**GGUF** is the file format of llama.cpp: one file holds a model's weights, its tokenizer and its settings."),
    "llama.cpp": (("llamacpp", "llama cpp"), "**llama.cpp** is an open-source program in C++ that runs language models on an ordinary computer."),
    "quantization": (("quantisation", "a quantized model", "quantizing"), "**Quantization** stores a model's weights with fewer bits, so that the model needs less memory and runs faster at a small loss of quality."),
    "context window": (("a context window", "the context window", "context length", "the context"), "The **context window** is the number of tokens that a model can see at once: the conversation and the answer have to fit into it."),
    "streaming": (("token streaming", "a streamed answer", "streaming of answers"), "**Streaming** shows an answer piece by piece while the model still writes it, so you need not wait for the end."),
    "embedding": (("an embedding", "embeddings", "text embeddings"), "An **embedding** is a list of numbers that stands for the meaning of a text, so that similar texts have similar numbers."),
    "prompt": (("a prompt", "prompts", "the prompt"), "A **prompt** is the text that you give to a language model and that it answers."),
    "system prompt": (("a system prompt", "the system prompt", "a system message"), "A **system prompt** is a text put before the conversation that tells the model how to behave."),
    "inference": (("model inference", "LLM inference"), "**Inference** is the use of a trained model: it gets an input and computes an answer."),
    "training": (("model training", "training a model"), "**Training** changes the weights of a model step by step until its predictions fit the examples."),
    "fine-tuning": (("finetuning", "fine tuning"), "**Fine-tuning** trains an existing model a little further on new examples, so that it does one task better."),
    "parameter": (("a parameter", "model parameters", "a weight", "weights"), "A **parameter**, or weight, is one of the numbers that a model learned in training."),
    "neural network": (("a neural network", "neural networks", "a neural net"), "A **neural network** is a function made of many simple layers whose numbers are learned from examples."),
    "transformer": (("a transformer", "transformers", "the transformer architecture"), "A **transformer** is a neural network that uses attention to let every token look at the tokens before it."),
    "attention": (("the attention mechanism", "self-attention"), "**Attention** lets a model weigh which earlier tokens matter for the token that it computes now."),
    "hallucination": (("a hallucination", "hallucinations", "hallucination in an LLM"), "A **hallucination** is an answer of a language model that sounds right but is not true."),
    "tokenizer": (("a tokenizer", "tokenizers", "tokenization"), "A **tokenizer** cuts a text into tokens and joins tokens into text again."),
    "chat template": (("a chat template", "chat templates", "a prompt template"), "A **chat template** says how the messages of a conversation become the one text that a model reads."),
    "RAG": (("retrieval-augmented generation", "retrieval augmented generation"), "**RAG** (retrieval-augmented generation) finds fitting documents first and gives them to the model together with the question."),
    "GPU": (("a GPU", "GPUs", "a graphics card"), "A **GPU** is a processor that does many simple computations at once, which makes language models fast."),
    "CPU": (("a CPU", "CPUs", "a processor"), "A **CPU** is the main processor of a computer; it runs every program, and small language models too."),
    "RAM": (("main memory", "computer memory"), "**RAM** is the working memory of a computer: fast, and empty again when the power goes off."),
    "API": (("an API", "APIs", "a web API"), "An **API** is a set of agreed calls through which one program uses another."),
    "API key": (("an API key", "API keys"), "An **API key** is a secret text that tells a remote service who is calling it."),
    "environment variable": (("an environment variable", "environment variables", "env variables"), "An **environment variable** is a named value that the operating system hands to a program when it starts."),
    "Jupyter": (("Project Jupyter", "jupyter notebook"), "**Jupyter** is an open-source project for notebooks, in which you write text and code and see the results at once."),
    "JupyterLab": (("Jupyter Lab",), "**JupyterLab** is the web interface of Jupyter, with notebooks, files and terminals side by side."),
    "IPython": (("ipython",), "**IPython** is the interactive Python that runs behind most Jupyter notebooks and offers magics such as `%%jan`."),
    "Python": (("the Python language", "python programming"), "**Python** is a programming language that is easy to read and is used for data, science, the web and much more."),
    "pandas": (("the pandas library", "pandas in Python"), "**pandas** is a Python library for tables of data, which it calls data frames."),
    "numpy": (("the numpy library", "NumPy"), "**NumPy** is a Python library for fast computations with arrays of numbers."),
    "data frame": (("a data frame", "a dataframe", "dataframes"), "A **data frame** is a table with named columns, as the library pandas uses it."),
    "JSON": (("json", "a JSON file", "the JSON format"), "**JSON** is a plain text format for data, made of objects, lists, texts, numbers, `true`, `false` and `null`."),
    "Markdown": (("markdown", "the Markdown format"), "**Markdown** is a simple way to write formatted text: `**bold**`, `# heading`, `- item`."),
    "CSV": (("a CSV file", "csv files", "the CSV format"), "**CSV** is a plain text format for tables: one row on each line, with commas between the values."),
    "HTML": (("html",), "**HTML** is the language in which web pages are written."),
    "HTTP": (("http",), "**HTTP** is the protocol with which browsers and programs ask web servers for data."),
    "server": (("a server", "servers", "a web server"), "A **server** is a program, or the computer it runs on, that answers the requests of other programs."),
    "variable": (("a variable", "variables", "a variable in Python"), "A **variable** is a name for a value, such as `x = 3` in Python."),
    "function": (("a function", "functions", "a function in Python"), "A **function** is a named piece of code that takes values, does its work and gives a value back."),
    "loop": (("a loop", "loops", "a for loop"), "A **loop** runs the same code again and again, for example once for each item of a list."),
    "class": (("classes",), "A **class** describes objects that keep data together with the functions that work on it."),
    "recursion": (("a recursive function",), "**Recursion** is when a function calls itself on a smaller part of its task."),
    "algorithm": (("an algorithm", "algorithms"), "An **algorithm** is a clear list of steps that solves a task."),
    "bug": (("a bug", "a software bug", "bugs"), "A **bug** is a mistake in a program that makes it do something wrong."),
    "open source": (("open-source software", "open source software"), "**Open source** means that everyone may read, change and share the code of a program."),
    "git": (("Git", "version control"), "**Git** is a program that records the versions of files, so that people can work on them together."),
    "AI": (("artificial intelligence", "an AI"), "**AI** (artificial intelligence) is the art of making computers do what seems to need thinking."),
    "machine learning": (("ML", "machine-learning"), "**Machine learning** lets a program learn from examples instead of following rules written by hand."),
}
