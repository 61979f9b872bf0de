"""The bundling: how do staged tables become a row a person, each object as it is sent?"""
