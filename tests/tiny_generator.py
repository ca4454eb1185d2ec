"""Language models that are made in milliseconds: a random Llama behind a tokenizer of bytes, as a folder and as a
GGUF file that llama.cpp and transformers both read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEADS, HEAD, LAYERS, INNER = 2, 32, 2, 128
HIDDEN = HEADS * HEAD
CONTEXT = 2_048
SPECIAL = ("<unk>", "<s>", "</s>")
TEMPLATE = "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}<s>assistant:"


MERGES, VERDICTS = (("e", "r"),), (("Y", "e"), ("Ye", "s"), ("N", "o"))
"""Of the tokenizer; and those more that make a word of Yes, and of No."""


def words(*, verdicts: bool = False) -> list[str]:
    """What special tokens, the alphabet of byte-level tokenizers and merges come to."""
    from tokenizers.pre_tokenizers import ByteLevel

    merged = ["".join(pair) for pair in _merges(verdicts)]
    return [*SPECIAL, *sorted(ByteLevel.alphabet()), *merged]


def tiny_folder(folder: Path, *, chat: bool = False, decided: bool = False) -> Path:
    """As safetensors. `chat`: with a template. `decided`: as `tiny_gguf` has it."""
    from transformers import PreTrainedTokenizerFast

    _made(decided=decided, verdicts=False).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(), unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    if chat:
        tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder


def tiny_gguf(
    path: Path, *, decided: bool = False, chat: bool = False, verdicts: bool = False, context: int = CONTEXT
) -> Path:
    """The same model. Its vocabulary is a byte-level BPE with one merge (`gpt2` in GGUF). `decided`: what it says is
    hardly ever a matter of rounding, and little that is taught changes it. `chat`: with a template. `verdicts`: Yes and
    No are words, and what it says first. `context`: tokens.
    """
    import gguf
    import numpy as np

    state = {
        name: value.numpy() for name, value in _made(decided=decided, verdicts=verdicts).state_dict().items()
    }
    known = words(verdicts=verdicts)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(known))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(known)
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (len(known) - 3))
    writer.add_token_merges([" ".join(pair) for pair in _merges(verdicts)])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    if chat:
        writer.add_chat_template(TEMPLATE)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    for name, value in state.items():
        own = _turned(value) if name.endswith(("q_proj.weight", "k_proj.weight")) else value
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), np.ascontiguousarray(own))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _turned(weight: Any) -> Any:
    """llama.cpp has the halves of each head by turns."""
    return weight.reshape(HEADS, 2, HEAD // 2, HIDDEN).swapaxes(1, 2).reshape(weight.shape)


def _merges(verdicts: bool) -> tuple[tuple[str, str], ...]:
    return (*MERGES, *VERDICTS) if verdicts else MERGES


def _made(*, decided: bool, verdicts: bool) -> Any:
    model = _model(len(words(verdicts=verdicts)))
    return _decided(model) if decided else _saying(model) if verdicts else model


def _saying(model: Any) -> Any:
    """One number of every state is large, whatever was read, and calls for both words."""
    import torch

    known = words(verdicts=True)
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 0.2
        for word in ("Yes", "No"):
            model.lm_head.weight[known.index(word), 0] = 2.0
    return model


def _model(size: int = len(SPECIAL) + 257) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def _decided(model: Any) -> Any:
    """Of the letters each calls for the one that follows it, and the layers in between have little to say."""
    import torch

    known = words()
    letters = [known.index(chr(code)) for code in range(ord("!"), ord("~") + 1)]
    follows = dict(zip(letters, [*letters[1:], letters[0]], strict=True))
    follows |= {known.index(word): known.index("a") for word in ("Ġ", "Ċ", "er")}  # a blank, a line's end
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.mul_(0.1)
            layer.mlp.down_proj.weight.mul_(0.1)
        embedded = model.model.embed_tokens.weight.div_(0.02)
        for word, next_word in follows.items():
            model.lm_head.weight[next_word] += embedded[word] / HIDDEN**0.5
    return model


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    vocabulary = {word: number for number, word in enumerate(words())}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(MERGES)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer
