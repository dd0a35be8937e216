"""Yahoo Finance as a source: the streamer first, polling where it is silent, history in the background.

source          what the feed and the jobs see
asking          what is asked of Yahoo, and the only module that imports yfinance
http            a paced session, and what its answers mean
chart           what an answer says, as our values (pure); with events and fields
stream          the price streamer
poll            asks where the streamer is silent
"""
